import type { ActionDefinition } from '@segment/actions-core'
import { EmailSendX } from '../api'
import { anonymousId, batch_size, enable_batching, firstOf, objectOf, requiredUnless, userId } from '../common-fields'
import { NO_LIST } from '../constants'
import type { Settings } from '../generated-types'
import { listChoices } from '../lists'
import { answerOrThrow, multiStatus } from '../render'
import type { Payload } from './generated-types'
import { IDENTIFY_TRIGGER } from '../triggers'
import { identify } from './send'

/** RudderStack has them in context.traits. Beside traits, that is where mobile libraries keep what they once were. */
const TRAITS = {
  '@if': { exists: { '@path': '$.traits' }, then: { '@path': '$.traits' }, else: { '@path': '$.context.traits' } }
}

const action: ActionDefinition<Settings, Payload> = {
  title: 'Identify Contact',
  description: 'Create or update a contact in EmailSendX and, if you wish, add it to a list.',
  defaultSubscription: IDENTIFY_TRIGGER,
  fields: {
    email: {
      label: 'Email',
      description:
        'The email address of the contact, by which EmailSendX finds it. When empty, User ID is used if it is an email address.',
      type: 'string',
      required: requiredUnless('userId', 'anonymousId'),
      default: firstOf('$.traits.email', '$.context.traits.email'),
      category: 'identifier'
    },
    userId,
    anonymousId,
    firstName: {
      label: 'First Name',
      description:
        'The first name of the contact. When empty, it is the trait first_name, and without one the name in EmailSendX stays as it is.',
      type: 'string',
      default: { '@path': '$.traits.firstName' },
      category: 'data'
    },
    lastName: {
      label: 'Last Name',
      description:
        'The last name of the contact. When empty, it is the trait last_name, and without one the name in EmailSendX stays as it is.',
      type: 'string',
      default: { '@path': '$.traits.lastName' },
      category: 'data'
    },
    traits: {
      label: 'Traits',
      description:
        'What else you know about the contact. Every trait other than the email address and the names becomes a metadata field of the same name. Empty values are not sent, so they never erase anything.',
      type: 'object',
      default: objectOf(TRAITS),
      defaultObjectUI: 'keyvalue',
      category: 'data'
    },
    nestedTraits: {
      label: 'Nested Traits',
      description:
        'What to do with a trait that contains others, such as an address: spread it over several metadata fields (address_city), store it as JSON text, or send it as it is.',
      type: 'string',
      choices: [
        { label: 'Spread over several fields (address_city)', value: 'flatten' },
        { label: 'Store as JSON text', value: 'stringify' },
        { label: 'Send as it is', value: 'keep' }
      ],
      default: 'flatten',
      category: 'config',
      displayMode: 'collapsed',
      disabledInputMethods: ['variable', 'function', 'enrichment', 'freeform']
    },
    metadataNames: {
      label: 'Metadata Names',
      description:
        'What the metadata fields are called. Templates in EmailSendX can show custom fields only, and a custom field takes its value from the metadata field with its key: lower-case letters, digits and underscores. To use traits in emails, choose keys of custom fields, and create those fields in EmailSendX.',
      type: 'string',
      choices: [
        { label: 'As the traits (signupSource)', value: 'as_sent' },
        { label: 'Keys of custom fields (signup_source)', value: 'field_keys' }
      ],
      default: 'as_sent',
      category: 'config',
      displayMode: 'collapsed',
      disabledInputMethods: ['variable', 'function', 'enrichment', 'freeform']
    },
    splitName: {
      label: 'Split Name',
      description:
        'When there is neither a first nor a last name, take them from the trait "name": the first word, and the others.',
      type: 'boolean',
      default: false,
      category: 'config',
      displayMode: 'collapsed',
      disabledInputMethods: ['variable', 'function', 'enrichment']
    },
    listId: {
      label: 'List',
      description: `The list the contact joins. Leave it empty to use the Default List ID of the settings, or choose "Do not add to a list" (${NO_LIST}). Other lists of the contact stay as they are.`,
      type: 'string',
      dynamic: true,
      category: 'data'
    },
    consentSource: {
      label: 'Consent Source',
      description:
        'Where the contact agreed to get emails, such as signup-form. An identify() alone is no consent, so leave it empty unless every event of this mapping is one.',
      type: 'string',
      category: 'data',
      displayMode: 'collapsed'
    },
    leavingAudience: {
      label: 'Contacts Who Leave an Audience',
      description:
        "What to do with an identify() of Segment's Engage which says that somebody has left an audience. By default it joins no list and creates no contact, and a contact that exists gets the false.",
      type: 'string',
      choices: [
        { label: 'Update the contact if there is one', value: 'update' },
        { label: 'Treat it as any other identify()', value: 'as_any' }
      ],
      default: 'update',
      category: 'config',
      displayMode: 'collapsed',
      disabledInputMethods: ['variable', 'function', 'enrichment', 'freeform']
    },
    linkUserId: {
      label: 'Link User IDs',
      description:
        "Tell EmailSendX which User ID a contact has, so that it finds the contact of an event that has no email address: a website's events have none. It costs one request for each new User ID, at most 20 a batch.",
      type: 'boolean',
      default: true,
      category: 'config',
      displayMode: 'collapsed',
      disabledInputMethods: ['variable', 'function', 'enrichment']
    },
    enable_batching,
    batch_size,
    batch_keys: {
      label: 'Batch Keys',
      description:
        'Contacts of one batch go to the same list with the same consent, so that each batch takes as few requests as possible.',
      type: 'string',
      multiple: true,
      default: ['listId', 'consentSource'],
      unsafe_hidden: true
    }
  },
  dynamicFields: {
    listId: listChoices
  },
  perform: async (request, { settings, payload, audienceMembership }) =>
    answerOrThrow((await identify(new EmailSendX(request, settings), [payload], [audienceMembership]))[0]),
  performBatch: async (request, { settings, payload, audienceMembership }) =>
    multiStatus(await identify(new EmailSendX(request, settings), payload, audienceMembership))
}

export default action
