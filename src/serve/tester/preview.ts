import { randomUUID } from 'node:crypto'
import { transform } from '@segment/actions-core'
import type { JSONObject } from '@segment/actions-core'
import mapValues from 'lodash/mapValues'
import { z } from 'zod'
import { isObject } from '../../http/json'
import { defaultsOf, runAction } from '../contract/action'
import type { Definition } from '../contract/exchanges'
import type { EventStatus } from '../contract/errors'
import type { Exchange } from '../contract/exchanges'
import { offline } from './offline'
import { matchTrigger } from './triggers'
import type { Match } from './triggers'

const object = z.custom<JSONObject>(isObject)

export const previewCall = z.object({
  events: z.array(object),
  settings: object,
  /** By action: the fields that differ from their defaults. */
  mappings: z.record(z.string(), object),
  /** By action: FQL, where it differs from the action's own. */
  triggers: z.record(z.string(), z.string()),
  /** All events of an action in one call, or one call for each event. */
  batch: z.boolean(),
  /** Whether EmailSendX is to be taken as having the contacts. */
  contactsExist: z.boolean()
})
export type PreviewCall = z.output<typeof previewCall>

export interface Preview {
  /** For each event and each action, in the order given. */
  matches: Record<string, Match>[]
  deliveries: Delivery[]
}

/** One call of an action. */
export interface Delivery {
  action: string
  subscribe: string
  /** Positions of its events among those given. */
  events: number[]
  /** What the mapping makes of each of the first events; empty where it cannot be read, which the outcome explains. */
  payloads: JSONObject[]
  /** What would become of each of the first events, were every answer of EmailSendX a success. */
  outcomes: EventStatus[]
  /** The requests made for the first events. */
  requests: Exchange['request'][]
}

/** Events that are previewed; those after them are planned only. More would make the page slow to type in. */
const PREVIEWED = 50

/** What would be called, mapped and sent. Nothing is sent: see {@link offline}. */
export async function preview(definition: Definition, call: PreviewCall): Promise<Preview> {
  const triggers = mapValues(
    definition.actions,
    ({ defaultSubscription = '' }, slug) => call.triggers[slug] ?? defaultSubscription
  )
  const matches = call.events.map((event) => mapValues(triggers, (trigger) => matchTrigger(trigger, event)))
  const stranger = offline(definition, call)
  const settings = unrecognisable(definition, call.settings)
  const deliveries = plan(matches, call.batch).map(async ({ action, events }): Promise<Delivery> => {
    const subscribe = triggers[action]
    const mapping = call.mappings[action] ?? {}
    const first = events.filter((index) => index < PREVIEWED).map((index) => call.events[index])
    if (first.length === 0) return { action, subscribe, events, payloads: [], outcomes: [], requests: [] }
    const body = { payload: call.batch ? first : first[0], settings, mapping, subscribe }
    const { exchanges, multistatus } = await runAction(stranger, action, body, true)
    const whole = { ...defaultsOf(definition, action), ...mapping }
    return {
      action,
      subscribe,
      events,
      payloads: first.map((event) => mapped(whole, event)),
      outcomes: multistatus,
      requests: exchanges.map(({ request }) => request)
    }
  })
  return { matches, deliveries: await Promise.all(deliveries) }
}

/** The calls in the order they are to be made: one for each action, or one for each event and action that takes it. */
function plan(matches: Preview['matches'], batch: boolean): { action: string; events: number[] }[] {
  const single = matches.flatMap((match, index) =>
    Object.keys(match)
      .filter((action) => match[action].takes)
      .map((action) => ({ action, events: [index] }))
  )
  if (!batch) return single
  return Object.keys(matches[0] ?? {})
    .map((action) => ({
      action,
      events: single.filter((one) => one.action === action).flatMap(({ events }) => events)
    }))
    .filter(({ events }) => events.length > 0)
}

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
