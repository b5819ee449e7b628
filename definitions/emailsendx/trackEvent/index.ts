import type { ActionDefinition } from '@segment/actions-core'
import { EmailSendX } from '../api'
import { anonymousId, firstOf, objectOf, requiredUnless, userId } from '../common-fields'
import type { Settings } from '../generated-types'
import { answerOrThrow } from '../render'
import type { Payload } from './generated-types'
import { TRACK_TRIGGER } from '../triggers'
import { track } from './send'

const action: ActionDefinition<Settings, Payload> = {
  title: 'Track Event',
  description: 'Fire a custom event on a contact in EmailSendX, which starts the automations that wait for it.',
  defaultSubscription: TRACK_TRIGGER,
  fields: {
    email: {
      label: 'Email',
      description:
        "The email address of the contact the event belongs to. When empty, User ID is used if it is an email address, else EmailSendX finds the contact by User ID. An address in the event is the surest way: analytics.js adds none to track(), so let a source middleware add context.traits.email; servers can send it; mobile libraries do. An address among the properties counts as the contact's, too, also beside another person's User ID: map context.traits.email alone if yours are about others.",
      type: 'string',
      required: requiredUnless('userId', 'anonymousId'),
      default: firstOf('$.context.traits.email', '$.traits.email', '$.properties.email'),
      category: 'identifier'
    },
    userId,
    anonymousId,
    eventName: {
      label: 'Event Name',
      description:
        'The name of the event. Automations with this name in their Custom Event trigger start. Each event costs one or two of the 120 requests a minute that EmailSendX allows, also when no automation waits for it: narrow the trigger of this mapping to the events that one does.',
      type: 'string',
      required: true,
      default: { '@path': '$.event' },
      category: 'data'
    },
    eventNameForm: {
      label: 'Event Name Form',
      description:
        'EmailSendX ignores upper and lower case in event names, but not spaces. In the normal form "Purchase Completed", "purchase_completed" and "PURCHASE_COMPLETED" all start the same automation.',
      type: 'string',
      choices: [
        { label: 'Normal form (purchase_completed)', value: 'normalized' },
        { label: 'As sent', value: 'as_sent' }
      ],
      default: 'normalized',
      category: 'config',
      displayMode: 'collapsed',
      disabledInputMethods: ['variable', 'function', 'enrichment', 'freeform']
    },
    properties: {
      label: 'Properties',
      description: 'What is known about the event. Automations can use these values in their conditions.',
      type: 'object',
      default: objectOf({ '@path': '$.properties' }),
      defaultObjectUI: 'keyvalue',
      category: 'data'
    },
    timestamp: {
      label: 'Timestamp',
      description:
        'When the event happened. It decides how long an event may wait for its contact, and which events are too old.',
      // Text, since a datetime that is none would refuse the event, and EmailSendX has no time for events at all.
      type: 'string',
      default: { '@path': '$.timestamp' },
      category: 'data',
      displayMode: 'collapsed'
    },
    withoutEmail: {
      label: 'Events Without an Email Address',
      description:
        'What to do with an event that has a User ID but no email address, when no identify() seen here has told the address. EmailSendX finds the contact that an earlier identify() named with the same User ID.',
      type: 'string',
      choices: [
        { label: 'EmailSendX finds the contact by User ID', value: 'hand_over' },
        { label: 'Reject the event', value: 'reject' }
      ],
      default: 'hand_over',
      category: 'config',
      displayMode: 'collapsed',
      disabledInputMethods: ['variable', 'function', 'enrichment', 'freeform']
    },
    messageId: {
      label: 'Message ID',
      description: 'The ID of the event. It goes with events whose contact EmailSendX finds by User ID.',
      type: 'string',
      default: { '@path': '$.messageId' },
      category: 'data',
      displayMode: 'collapsed'
    },
    context: {
      label: 'Context',
      description:
        'Where the event happened. It goes with events whose contact EmailSendX finds by User ID, and with no others.',
      type: 'object',
      default: { '@path': '$.context' },
      category: 'data',
      displayMode: 'collapsed'
    },
    unknownContact: {
      label: 'Unknown Contact',
      description:
        'What to do with an event of somebody who is not a contact in EmailSendX. An event can arrive just before the identify() that creates the contact, so by default it is tried again until it is one hour old. Creating the contact takes an email address in the event.',
      type: 'string',
      choices: [
        { label: 'Wait up to an hour for the contact', value: 'wait' },
        { label: 'Create the contact', value: 'create' },
        { label: 'Reject the event', value: 'skip' }
      ],
      default: 'wait',
      category: 'config',
      disabledInputMethods: ['variable', 'function', 'enrichment', 'freeform']
    },
    maxAgeHours: {
      label: 'Ignore Events Older Than (Hours)',
      description:
        'Reject events that are older than this many hours, so that replaying old data does not send emails about it. Leave empty to accept events of any age.',
      type: 'number',
      minimum: 1,
      category: 'config',
      displayMode: 'collapsed',
      disabledInputMethods: ['variable', 'function', 'enrichment']
    }
  },
  perform: async (request, { settings, payload }) =>
    answerOrThrow(await track(new EmailSendX(request, settings), payload))
}

export default action
