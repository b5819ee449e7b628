import type { ActionDefinition } from '@segment/actions-core'
import { userId } from '../common-fields'
import type { Settings } from '../generated-types'
import { answerOrThrow } from '../render'
import type { Payload } from './generated-types'
import { trackEvent } from './send'

const action: ActionDefinition<Settings, Payload> = {
  title: 'Track Event',
  description: 'Fire a custom event on a contact in EmailSendX, which starts the automations that wait for it.',
  defaultSubscription: 'type = "track"',
  fields: {
    email: {
      label: 'Email',
      description:
        'The email address of the contact the event belongs to. When empty, User ID is used if it is an email address.',
      type: 'string',
      default: {
        '@if': {
          exists: { '@path': '$.context.traits.email' },
          then: { '@path': '$.context.traits.email' },
          else: {
            '@if': {
              exists: { '@path': '$.traits.email' },
              then: { '@path': '$.traits.email' },
              else: { '@path': '$.properties.email' }
            }
          }
        }
      },
      category: 'identifier'
    },
    userId,
    eventName: {
      label: 'Event Name',
      description: 'The name of the event. Automations with this name in their Custom Event trigger start.',
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
      default: { '@path': '$.properties' },
      defaultObjectUI: 'keyvalue',
      category: 'data'
    },
    timestamp: {
      label: 'Timestamp',
      description:
        'When the event happened. It decides how long an event may wait for its contact, and which events are too old.',
      type: 'datetime',
      default: { '@path': '$.timestamp' },
      category: 'data',
      displayMode: 'collapsed'
    },
    unknownContact: {
      label: 'Unknown Contact',
      description:
        'What to do with an event of somebody who is not a contact in EmailSendX. An event can arrive just before the identify() that creates the contact, so by default it is tried again until it is one hour old.',
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
  perform: async (request, { settings, payload }) => answerOrThrow(await trackEvent(request, settings, payload))
}

export default action
