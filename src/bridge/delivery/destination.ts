import { defaultValues, Destination } from '@segment/actions-core'
import type { DestinationDefinition, JSONObject, RequestOptions, SegmentEvent } from '@segment/actions-core'
import definition from '../../../definitions/emailsendx'
import type { Settings } from '../../../definitions/emailsendx/functions'
import type { DeliveryOptions } from '../event'
import type { Call } from './schedule'
import type { Trace, Row } from './outcome'
import { readPace } from './backoff'
import type { PaceWords } from './backoff'
import type { Item } from './identity-links'

/** What came of a call: a row for each item, in their order, and what went over the wire. */
export interface Report extends Trace {
  rows: Row[]
  pace: PaceWords[]
}

export interface Context {
  settings: Settings
  /** ms since 1970. */
  now: () => number
  /** Ends the call's requests. */
  signal: AbortSignal
  /** Waited for right before the request that fires an event. When it throws, nothing is fired, and `send` throws the same. */
  beforeFiring: () => Promise<void>
}

/** Where the address that the partition found out goes in with the event. */
const EMAIL = 'emailFoundByBridge'

const ACTIONS = { identify: 'identifyContact', track: 'trackEvent' } as const

/** Makes one call of the destination, with one of its own: what is heard belongs to this call and no other. */
export async function send(call: Call, { settings, now, signal, beforeFiring }: Context): Promise<Report> {
  const report: Report = { type: call.type, rows: [], exchanges: [], pace: [], fired: false }
  let obstacle: Error | undefined
  const destination = watched(async (method) => {
    if (call.type === 'identify' || method !== 'POST' || report.fired) return
    await beforeFiring().catch((error: Error) => {
      obstacle = error
      throw error
    })
    report.fired = true
  })
  destination.actions[ACTIONS[call.type]].on('response', ({ status, headers, request }: Answer) => {
    report.exchanges.push({ method: request.method, status })
    report.pace.push(readPace(status, headers, now()))
  })

  try {
    const mapping = mappingFor(call)
    const events = call.items.map(toEvent)
    report.rows =
      call.type === 'identify'
        ? await destination.executeBatch(ACTIONS.identify, { events, mapping, settings, signal })
        : [await track(destination, { event: events[0], mapping, settings, signal })]
  } catch (error) {
    // Settings that can't be used, or a fault of the destination's own: the same for all events of the call.
    const { status, message } = error as Error & { status?: number }
    report.rows = call.items.map(() => ({ status: status === 401 ? 401 : 500, errormessage: message }))
  }
  if (obstacle) throw obstacle
  return report
}

/** A track is sent alone, and its error is its row. */
async function track(
  destination: Destination<Settings>,
  { event, ...rest }: { event: SegmentEvent; mapping: JSONObject; settings: Settings; signal: AbortSignal }
): Promise<Row> {
  try {
    await destination.actions[ACTIONS.track].execute({ data: event as unknown as InputData, auth: undefined, ...rest })
    return { status: 200 }
  } catch (error) {
    const { status = 400, code, message } = error as Error & { status?: number; code?: string }
    return { status, errormessage: message, errortype: code }
  }
}

type InputData = Parameters<Destination['actions'][string]['execute']>[0]['data']
type Answer = Response & { request: Request }

/** The destination, telling before each request that it is about to be made. */
function watched(beforeRequest: (method: string) => Promise<void>): Destination<Settings> {
  const watching: DestinationDefinition<Settings> = {
    ...definition,
    extendRequest: (data) => {
      const options: RequestOptions & { beforeRequest: ((request: { method: string }) => Promise<void>)[] } = {
        ...definition.extendRequest?.(data),
        beforeRequest: [({ method }) => beforeRequest(method)]
      }
      return options
    }
  }
  return new Destination(watching)
}

function toEvent({ event, email }: Item): SegmentEvent {
  const { messageId, type } = event
  return Object.assign({ messageId, type }, event.event, { [EMAIL]: email })
}

/** The mapping a customer of the catalog starts with, with the choices that came with the events. */
function mappingFor({ type, items }: Call): JSONObject {
  const { fields } = definition.actions[ACTIONS[type]]
  return { ...defaultValues(fields), email: { '@path': `$.${EMAIL}` }, ...CHOICES[type](items[0].event.options) }
}

const CHOICES: Record<Call['type'], (options: DeliveryOptions) => JSONObject> = {
  // The bridge keeps user ids in its own store, and every event it sends has an address.
  identify: ({ listId }) => ({ ...(listId && { listId }), linkUserId: false }),
  track: ({ eventNameForm, unknownContact, maxAgeHours }) => ({
    ...(eventNameForm && { eventNameForm }),
    ...(maxAgeHours !== undefined && { maxAgeHours }),
    withoutEmail: 'reject',
    // The partition does the waiting: by the time of arrival, and across restarts.
    unknownContact: unknownContact === 'create' ? 'create' : 'skip'
  })
}
