import { randomUUID } from 'node:crypto'
import { transform } from '@segment/actions-core'
import type { JSONObject } from '@segment/actions-core'
import mapValues from 'lodash/mapValues'
import { z } from 'zod'
import { defaultsOf, runAction } from '../contract/action'
import type { EventStatus } from '../contract/errors'
import type { Definition, Exchange } from '../contract/exchanges'
import { offline } from './offline'
import { object, plan, planCall } from './plan'
import type { Call, Plan } from './plan'
import type { Match } from './triggers'

export const previewCall = planCall.extend({
  settings: object,
  /** By action: the fields that differ from their defaults. */
  mappings: z.record(z.string(), object),
  /** Position of the event that is looked at. */
  event: z.int().min(0),
  /** Whether EmailSendX is to be taken as having the contacts. */
  contactsExist: z.boolean()
})
export type PreviewCall = z.output<typeof previewCall>

export interface Preview {
  triggers: Plan['triggers']
  /** For each action, whether it takes the event that is looked at. */
  matches: Record<string, Match>
  /** What the actions that take it make of it. */
  deliveries: Delivery[]
  /** What sending everything comes to, action by action. */
  whole: Share[]
}

/** One call of an action, as far as it concerns the event that is looked at. */
export interface Delivery {
  action: string
  /** What the mapping makes of the event; empty where it cannot be read, which the outcome explains. */
  payload: JSONObject
  /** What would become of it, were every answer of EmailSendX a success. */
  outcome: EventStatus
  /** The requests of the call. */
  requests: Exchange['request'][]
  /** Other events that the same call is for. */
  others: number
}

export interface Share {
  action: string
  events: number
  calls: number
  /** Of a batch; those of single calls are known of the one that is looked at only. */
  requests?: number
  /** The events of a batch that would be refused, as positions among those given, and why. */
  refused: { event: number; message: string }[]
}

/** What would be called, mapped and sent. Nothing is sent: see {@link offline}. */
export async function preview(definition: Definition, call: PreviewCall): Promise<Preview> {
  const { triggers, matches, calls } = plan(definition, call)
  const isolated = offline(definition, call)
  const settings = unrecognisable(definition, call.settings)
  const deliveries: Delivery[] = []
  const shares = new Map<string, Share>()

  for (const { action, subscribe, events, batch } of calls) {
    const share = shares.get(action) ?? { action, events: 0, calls: 0, refused: [] }
    shares.set(action, share)
    share.events += events.length
    share.calls += 1
    const at = events.indexOf(call.event)
    if (!batch && at < 0) continue
    const given = events.map((index) => call.events[index])
    const mapping = call.mappings[action] ?? {}
    const body = { payload: batch ? given : given[0], settings, mapping, subscribe }
    const { exchanges, multistatus } = await runAction(isolated, action, body, true)
    if (batch) Object.assign(share, { requests: exchanges.length, refused: refusedOf(multistatus, events) })
    if (at < 0) continue
    deliveries.push({
      action,
      payload: mapped({ ...defaultsOf(definition, action), ...mapping }, given[at]),
      outcome: multistatus[at],
      requests: exchanges.map(({ request }) => request),
      others: events.length - 1
    })
  }
  return { triggers, matches: matches[call.event] ?? {}, deliveries, whole: [...shares.values()] }
}

const refusedOf = (rows: EventStatus[], events: Call['events']): Share['refused'] =>
  rows.flatMap(({ status, errormessage = '' }, index) =>
    status < 300 ? [] : [{ event: events[index], message: errormessage }]
  )

function mapped(mapping: JSONObject, event: JSONObject): JSONObject {
  try {
    return transform(mapping, event)
  } catch {
    return {}
  }
}

/** Other keys than the customer's, so that nothing a destination remembers of one workspace can come from a pretended one. */
function unrecognisable({ authentication }: Definition, settings: JSONObject): JSONObject {
  const suffix = randomUUID()
  const isSecret = (name: string) => authentication?.fields[name]?.type === 'password'
  return mapValues(settings, (value, name) =>
    isSecret(name) && typeof value === 'string' && value !== '' ? value + suffix : value
  )
}
