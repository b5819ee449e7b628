import { signal } from '@preact/signals'
import type { EventStatus } from '../../serve/contract/errors'
import type { Exchange } from '../../serve/contract/exchanges'
import type { Preview } from '../../serve/tester/preview'
import type { Event } from '../model/events'
import { faultInForce } from './faults'
import { previewNow } from './preview'
import { ask } from './server'

/** One press of *Send*. */
export interface Sending {
  id: number
  at: number
  events: Event[]
  matches: Preview['matches']
  deliveries: SentDelivery[]
  /** Why nothing could be sent at all. */
  failure?: string
}

/** One call of an action. */
export interface SentDelivery {
  action: string
  /** Positions of its events in the sending. */
  events: number[]
  /** The requests as they were previewed: they stand where the exchanges will be. */
  planned: Exchange['request'][]
  startedAt?: number
  /** What became of each event; absent until the answer is here. */
  outcomes?: EventStatus[]
  exchanges?: Exchange[]
}

/** Older ones are forgotten. */
const KEPT = 30

/** Newest first. */
export const sendings = signal<Sending[]>([])
export const isPreparing = signal(false)

let lastId = 0

/** Sends what is in the editor: each action's events in the order given, one call after the other. */
export async function send(): Promise<void> {
  if (isPreparing.value) return
  isPreparing.value = true
  await faultInForce()
  const plan = await planned()
  isPreparing.value = false
  if (!plan) return
  const id = add({
    events: plan.events as Event[],
    matches: plan.matches,
    deliveries: plan.deliveries.map(({ action, events, requests }) => ({ action, events, planned: requests }))
  })
  for (const [index, { action, events, subscribe }] of plan.deliveries.entries()) {
    note(id, index, { startedAt: Date.now() })
    const given = events.map((event) => plan.events[event])
    const body = {
      payload: plan.batch ? given : given[0],
      settings: plan.settings,
      mapping: plan.mappings[action] ?? {},
      subscribe
    }
    const answer = await ask<{ exchanges: Exchange[]; multistatus: EventStatus[] }>(
      `/${action}?multistatus=true&subscription=true`,
      { method: 'POST', body }
    ).catch((error: Error) => ({ exchanges: [], multistatus: given.map(() => notSent(error.message)) }))
    note(id, index, { outcomes: answer.multistatus, exchanges: answer.exchanges })
  }
}

const notSent = (errormessage: string): EventStatus => ({ status: 400, errormessage })

export const forgetResults = (): void => void (sendings.value = [])

async function planned() {
  try {
    return await previewNow()
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error)
    add({ events: [], matches: [], deliveries: [], failure })
    return undefined
  }
}

function add(sending: Omit<Sending, 'id' | 'at'>): number {
  const id = ++lastId
  sendings.value = [{ ...sending, id, at: Date.now() }, ...sendings.value].slice(0, KEPT)
  return id
}

function note(id: number, index: number, change: Partial<SentDelivery>): void {
  sendings.value = sendings.value.map((sending) =>
    sending.id === id
      ? { ...sending, deliveries: sending.deliveries.map((one, at) => (at === index ? { ...one, ...change } : one)) }
      : sending
  )
}
