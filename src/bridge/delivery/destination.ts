import { defaultValues, fieldsToJsonSchema, transform, validateSchema } from '@segment/actions-core'
import type { ActionDefinition, JSONLikeObject, JSONObject, RequestClient } from '@segment/actions-core'
import { identifyContacts, membershipOf, trackEvent } from '../../../definitions/emailsendx/functions'
import type { ContactIds, Outcome, Settings, TrackPayload } from '../../../definitions/emailsendx/functions'
import identifyAction from '../../../definitions/emailsendx/identifyContact'
import trackAction from '../../../definitions/emailsendx/trackEvent'
import type { DeliveryOptions } from '../event'
import type { Call } from './schedule'

/** What a call is made with. */
export interface CallContext {
  settings: Settings
  /** ms since 1970. */
  now: () => number
  contactIds: ContactIds
  /** Waited for right before the request that fires an event. When it throws, nothing is fired, and `send` throws the same. */
  beforeFiring: () => Promise<void>
}

/** Where the address that the bridge found out goes in with the event. */
const EMAIL = 'emailFoundByBridge'

const ACTIONS = { identify: identifyAction, track: trackAction } as const
const SCHEMAS = { identify: fieldsToJsonSchema(identifyAction.fields), track: fieldsToJsonSchema(trackAction.fields) }

/**
 * Makes one call of the destination, as Segment would with the mapping a customer of the catalog starts with.
 * @returns what became of each item, in their order
 */
export async function send(
  client: RequestClient,
  call: Call,
  { settings, ...options }: CallContext
): Promise<Outcome[]> {
  const { type, items } = call
  const events = items.map(({ email, event }) => ({ messageId: event.messageId, type, ...event.event, [EMAIL]: email }))
  // Each use of a mapping checks it, which takes longer than the use itself: so one for all.
  const { mapped } = transform({ mapped: { '@arrayPath': ['$.events', mappingFor(call)] } }, { events })
  const payloads = (mapped as JSONObject[]).map((each) => payloadOf(type, each))
  const valid = payloads.flatMap((payload) => ('payload' in payload ? [payload.payload] : []))
  const validEvents = events.filter((_, index) => 'payload' in payloads[index])
  const sent =
    type === 'identify'
      ? await identifyContacts(client, settings, valid, validEvents.map(membershipOf))
      : await Promise.all(
          valid.map((payload) => trackEvent(client, settings, payload as unknown as TrackPayload, options))
        )
  let next = 0
  return payloads.map((payload) => ('payload' in payload ? sent[next++] : payload))
}

/** The action's payload of what its mapping gave, or why there is none: as in the catalog, a wrong field makes the event invalid. */
function payloadOf(type: Call['type'], mapped: JSONObject): { payload: JSONLikeObject } | Outcome {
  // Segment leaves out what is empty before it validates.
  const payload = Object.fromEntries(
    Object.entries(mapped).filter(([, value]) => value !== null && value !== undefined && value !== '')
  ) as JSONLikeObject
  try {
    validateSchema(payload, SCHEMAS[type], { schemaKey: `bridge:${ACTIONS[type].title}` })
    return { payload }
  } catch (error) {
    return { kind: 'invalid', status: 400, message: (error as Error).message }
  }
}

/** The mapping a customer of the catalog starts with, with the choices that came with the events. */
function mappingFor({ type, items }: Call): JSONObject {
  const { fields } = ACTIONS[type] as Pick<ActionDefinition<Settings>, 'fields'>
  return { ...defaultValues(fields), email: { '@path': `$.${EMAIL}` }, ...CHOICES[type](items[0].event.options) }
}

const CHOICES: Record<Call['type'], (options: DeliveryOptions) => JSONObject> = {
  // The bridge keeps user ids in its own store, and every event it sends has an address.
  identify: ({ listId }) => ({ ...(listId && { listId }), linkUserId: false }),
  track: ({ eventNameForm, unknownContact, maxAgeHours }) => ({
    ...(eventNameForm && { eventNameForm }),
    ...(maxAgeHours !== undefined && { maxAgeHours }),
    withoutEmail: 'reject',
    // The bridge does the waiting: by the time of arrival, and across restarts.
    unknownContact: unknownContact === 'create' ? 'create' : 'skip'
  })
}
