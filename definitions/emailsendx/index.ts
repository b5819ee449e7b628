import { defaultValues } from '@segment/actions-core'
import type { DestinationDefinition } from '@segment/actions-core'
import { EmailSendX } from './api'
import { requestOptions } from './connection'
import { DEFAULT_API_URL, NO_LIST } from './constants'
import { isNotDelivered, NotDelivered } from './errors'
import type { Settings } from './generated-types'
import identifyContact from './identifyContact'
import { checkKey } from './key'
import { unknownList, withoutEvent } from './outcome'
import { toError } from './render'
import trackEvent from './trackEvent'
import { IDENTIFY_TRIGGER, TRACK_TRIGGER } from './triggers'

const destination: DestinationDefinition<Settings> = {
  name: 'EmailSendX',
  slug: 'actions-emailsendx',
  mode: 'cloud',
  description: 'Sync your users to EmailSendX as contacts, and start email automations from the events they trigger.',

  authentication: {
    scheme: 'custom',
    fields: {
      apiKey: {
        label: 'API Key',
        description:
          'Your EmailSendX API key. Create one in EmailSendX under Settings → API, with the scopes contacts:read, contacts:write and lists:read.',
        type: 'password',
        required: true
      },
      defaultListId: {
        label: 'Default List ID',
        description:
          'The list that identified contacts join, unless the mapping names another. Leave it empty to add them to no list.',
        type: 'string'
      },
      apiUrl: {
        label: 'API URL',
        description: 'The address of your EmailSendX server. Change it only if you host EmailSendX yourself.',
        type: 'string',
        default: DEFAULT_API_URL
      }
    },
    testAuthentication: async (request, { settings }) => {
      try {
        const api = new EmailSendX(request, settings)
        await checkKey(api)
        await checkDefaultList(api, settings.defaultListId?.trim())
      } catch (error) {
        throw isNotDelivered(error) ? toError(withoutEvent(error.outcome)) : error
      }
    }
  },

  extendRequest: ({ settings }) => requestOptions(settings),

  actions: {
    identifyContact,
    trackEvent
  },

  presets: [
    {
      name: 'Identify Contact',
      subscribe: IDENTIFY_TRIGGER,
      partnerAction: 'identifyContact',
      mapping: defaultValues(identifyContact.fields),
      type: 'automatic'
    },
    {
      name: 'Track Event',
      subscribe: TRACK_TRIGGER,
      partnerAction: 'trackEvent',
      mapping: defaultValues(trackEvent.fields),
      type: 'automatic'
    },
    {
      name: 'Entities Audience Membership Changed',
      partnerAction: 'identifyContact',
      mapping: defaultValues(identifyContact.fields),
      type: 'specificEvent',
      eventSlug: 'warehouse_audience_membership_changed_identify'
    },
    {
      name: 'Entities Audience Entered',
      partnerAction: 'trackEvent',
      mapping: defaultValues(trackEvent.fields),
      type: 'specificEvent',
      eventSlug: 'warehouse_audience_entered_track'
    },
    {
      name: 'Entities Audience Exited',
      partnerAction: 'trackEvent',
      mapping: defaultValues(trackEvent.fields),
      type: 'specificEvent',
      eventSlug: 'warehouse_audience_exited_track'
    },
    {
      name: 'Associated Entity Added',
      partnerAction: 'trackEvent',
      mapping: defaultValues(trackEvent.fields),
      type: 'specificEvent',
      eventSlug: 'warehouse_entity_added_track'
    },
    {
      name: 'Associated Entity Removed',
      partnerAction: 'trackEvent',
      mapping: defaultValues(trackEvent.fields),
      type: 'specificEvent',
      eventSlug: 'warehouse_entity_removed_track'
    },
    {
      name: 'Journeys Step Entered',
      partnerAction: 'trackEvent',
      mapping: defaultValues(trackEvent.fields),
      type: 'specificEvent',
      eventSlug: 'journeys_step_entered_track'
    }
  ]
}

async function checkDefaultList(api: EmailSendX, listId: string | undefined): Promise<void> {
  if (!listId || listId === NO_LIST) return
  if (!(await api.hasList(listId))) throw new NotDelivered(unknownList(listId))
}

export default destination
