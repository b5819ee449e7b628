import { effect, signal } from '@preact/signals'
import type { Event } from '../model/events'
import { start } from './definition'
import { ask } from './server'

/** A partition: what was sent to the bridge with one API key. Times are in ms. */
export interface Partition {
  partition: string
  events: number
  deferred: number
  deadLetters: number
  proven: boolean
  suspended?: { since: number; reason: string; nextTryAt: number }
}

export interface DeadLetter {
  id: number
  partition: string
  messageId: string
  type: 'identify' | 'track' | 'rejected'
  reason: string
  detail: string
  attempts: number
  diedAt: number
}

interface Bridge {
  partitions: Partition[]
  deadLetters: DeadLetter[]
  /** Events of all partitions since the bridge was started. */
  delivered: number
}

export const bridge = signal<Bridge | undefined>(undefined)
export const bridgeTrouble = signal('')

const EVERY_MS = 2_000

export async function lookIntoBridge(): Promise<void> {
  try {
    const [{ keys: partitions }, { deadLetters }, metrics] = await Promise.all([
      ask<{ keys: Partition[] }>('/tester/bridge/keys'),
      ask<{ deadLetters: DeadLetter[] }>('/tester/bridge/dead-letters'),
      ask<string>('/tester/bridge/metrics')
    ])
    bridge.value = { partitions, deadLetters, delivered: deliveredIn(metrics) }
    bridgeTrouble.value = ''
  } catch (error) {
    bridgeTrouble.value = error instanceof Error ? error.message : String(error)
  }
}

/** The counters of what was delivered, by type of event, added up. */
const deliveredIn = (metrics: string): number =>
  [...metrics.matchAll(/^bridge_events_tried_total\{[^}]*outcome="delivered"[^}]*\} (\d+)/gm)]
    .map(([, count]) => Number(count))
    .reduce((sum, count) => sum + count, 0)

/** Looks every two seconds: the bridge announces nothing. */
export function watchBridge(): void {
  effect(() => {
    if (!start.value?.bridge) return
    void lookIntoBridge()
    const timer = setInterval(() => document.hidden || void lookIntoBridge(), EVERY_MS)
    return () => clearInterval(timer)
  })
}

/** What the bridge said to the events it was sent last. */
export const receipt = signal('')

/** Sends events to the bridge's webhook door, with the id and the time that Segment gives every event. */
export async function sendToBridge(events: Event[], key: string): Promise<void> {
  const timestamp = new Date().toISOString()
  const batch = events.map((event) => ({ messageId: `tester-${crypto.randomUUID()}`, timestamp, ...event }))
  try {
    const counts = await ask<Record<string, number>>('/tester/bridge/events', { method: 'POST', key, body: { batch } })
    receipt.value = Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([what, count]) => `${count} ${what}`)
      .join(', ')
    await lookIntoBridge()
  } catch (error) {
    receipt.value = error instanceof Error ? error.message : String(error)
  }
}

export async function retryDeadLetter(id: number): Promise<void> {
  try {
    await ask(`/tester/bridge/dead-letters/${id}/retry`, { method: 'POST', body: {} })
    await lookIntoBridge()
  } catch (error) {
    bridgeTrouble.value = error instanceof Error ? error.message : String(error)
  }
}
