import type { JSONObject } from '@segment/actions-core'
import mapValues from 'lodash/mapValues'
import { z } from 'zod'
import { isObject } from '../../http/json'
import type { Definition } from '../contract/exchanges'
import { matchTrigger, understand } from './triggers'
import type { Match, Understood } from './triggers'

export const object = z.custom<JSONObject>(isObject, 'must be an object')

export const planCall = z.object({
  events: z.array(object),
  /** By action: FQL, where it differs from the action's own. */
  triggers: z.record(z.string(), z.string()),
  /** All events of an action in one call, where the action takes batches; else one call for each event. */
  batch: z.boolean()
})
export type PlanCall = z.output<typeof planCall>

/** What is to be called to send events as Segment would. */
export interface Plan {
  /** By action: what its trigger is read as. */
  triggers: Record<string, Understood>
  /** For each event and each action, in the order given. */
  matches: Record<string, Match>[]
  /** In the order they are to be made. */
  calls: Call[]
}

/** One call of an action. */
export interface Call {
  action: string
  /** The trigger. */
  subscribe: string
  /** Positions of its events among those given. */
  events: number[]
  batch: boolean
}

export function plan({ actions }: Definition, { events, triggers, batch }: PlanCall): Plan {
  const subscriptions = mapValues(
    actions,
    ({ defaultSubscription = '' }, slug) => triggers[slug] ?? defaultSubscription
  )
  const matches = events.map((event) => mapValues(subscriptions, (trigger) => matchTrigger(trigger, event)))
  const calls = Object.entries(subscriptions).flatMap(([action, subscribe]): Call[] => {
    const taken = [...events.keys()].filter((index) => matches[index][action].takes)
    if (taken.length === 0) return []
    return batch && actions[action].performBatch
      ? [{ action, subscribe, events: taken, batch: true }]
      : taken.map((index) => ({ action, subscribe, events: [index], batch: false }))
  })
  return {
    triggers: mapValues(subscriptions, understand),
    matches,
    // As a batch the actions come one after the other; one by one the events keep their order.
    calls: batch ? calls : calls.sort((one, other) => one.events[0] - other.events[0])
  }
}
