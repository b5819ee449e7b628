import { randomUUID } from 'node:crypto'
import { transform } from '@segment/actions-core'
import type { JSONObject } from '@segment/actions-core'
import isNil from 'lodash/isNil'
import mapValues from 'lodash/mapValues'
import omitBy from 'lodash/omitBy'
import { z } from 'zod'
import { runAction } from '../action'
import type { Definition } from '../definition'
import type { EventStatus } from '../errors'
import type { Exchange } from '../exchanges'
import { offline } from './stand-in'
import { judge } from './triggers'
import type { Verdict } from './triggers'

const object = z.custom<JSONObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value))

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
  verdicts: Record<string, Verdict>[]
  deliveries: Delivery[]
}

/** One call of an action. */
export interface Delivery {
  action: string
  subscribe: string
  /** Positions of its events among those given. */
  events: number[]
  /** For each of these what the mapping makes of it; an error where it cannot. */
  payloads: (JSONObject | { error: string })[]
  /** What would become of each, were every answer of EmailSendX a success. */
  outcomes: EventStatus[]
  requests: Exchange['request'][]
}

/** What would be called, mapped and sent. Nothing is sent: see {@link offline}. */
export async function preview(definition: Definition, call: PreviewCall): Promise<Preview> {
  const slugs = Object.keys(definition.actions)
  const triggers = mapValues(
    definition.actions,
    ({ defaultSubscription = '' }, slug) => call.triggers[slug] ?? defaultSubscription
  )
  const verdicts = call.events.map((event) => mapValues(triggers, (trigger) => judge(trigger, event)))
  const taken = (slug: string) => [...call.events.keys()].filter((index) => verdicts[index][slug].takes)
  const plan = call.batch
    ? slugs.map((action) => ({ action, events: taken(action) })).filter(({ events }) => events.length > 0)
    : [...call.events.keys()].flatMap((index) =>
        slugs.filter((action) => verdicts[index][action].takes).map((action) => ({ action, events: [index] }))
      )
  const stranger = offline(definition, call)
  const settings = unrecognisable(definition, call.settings)
  const deliveries = plan.map(async ({ action, events }): Promise<Delivery> => {
    const given = events.map((index) => call.events[index])
    const mapping = call.mappings[action] ?? {}
    const subscribe = triggers[action]
    const payload = call.batch ? given : given[0]
    const { exchanges, multistatus } = await runAction(
      stranger,
      action,
      { payload, settings, mapping, subscribe },
      true
    )
    const defaults = omitBy(mapValues(definition.actions[action].fields, 'default'), isNil) as JSONObject
    return {
      action,
      subscribe,
      events,
      payloads: given.map((event) => mapped({ ...defaults, ...mapping }, event)),
      outcomes: multistatus,
      requests: exchanges.map(({ request }) => request)
    }
  })
  return { verdicts, deliveries: await Promise.all(deliveries) }
}

function mapped(mapping: JSONObject, event: JSONObject): JSONObject | { error: string } {
  try {
    return transform(mapping, event)
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
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
