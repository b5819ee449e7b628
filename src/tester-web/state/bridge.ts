import { effect, signal } from '@preact/signals'
import type { DeadLetter, PartitionStatus, WaitingEvent } from '../../bridge/queue'
import type { Event } from '../model/events'
import { clock, messageOf } from '../model/words'
import { start } from './definition'
import { asFromSegment } from './inputs'
import { ask } from './server'

/** One that is looked at. */
export interface OpenedLetter extends DeadLetter {
  event: unknown
  user?: Record<string, string | undefined>
}

interface Bridge {
  partitions: PartitionStatus[]
  /** The newest of them, and how many there are. */
  deadLetters: DeadLetter[]
  total: number
}

export const bridge = signal<Bridge | undefined>(undefined)
export const bridgeTrouble = signal('')
/** What the bridge said to what it was told last. */
export const receipt = signal('')

const EVERY_MS = 2_000

async function lookIntoBridge(): Promise<void> {
  try {
    const [{ keys: partitions }, { deadLetters, total }] = await Promise.all([
      ask<{ keys: PartitionStatus[] }>('/tester/bridge/keys'),
      ask<{ deadLetters: DeadLetter[]; total: number }>('/tester/bridge/dead-letters')
    ])
    bridge.value = { partitions, deadLetters, total }
    bridgeTrouble.value = ''
    followRetried(partitions, deadLetters)
  } catch (error) {
    bridgeTrouble.value = messageOf(error)
  }
}

/** Looks every two seconds: the bridge announces nothing. */
export function watchBridge(): void {
  effect(() => {
    if (!start.value?.bridge) return
    void lookIntoBridge()
    const timer = setInterval(() => document.hidden || void lookIntoBridge(), EVERY_MS)
    return () => clearInterval(timer)
  })
}

/** Sends events to the bridge's webhook. */
export async function sendToBridge(events: Event[], key: string): Promise<void> {
  const batch = events.map(asFromSegment)
  await tell(async () => {
    const counts = await ask<Record<string, number>>('/tester/bridge/events', { method: 'POST', key, body: { batch } })
    return Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([what, count]) => `${count} ${what}`)
      .join(', ')
  })
}

export const waitingEvents = (partition: string) =>
  ask<{ events: WaitingEvent[] }>(`/tester/bridge/keys/${partition}/events?limit=20`)

export const openLetter = (id: number) => ask<{ deadLetter: OpenedLetter }>(`/tester/bridge/dead-letters/${id}`)

/** What is tried again, until it is known what came of it. */
let retried: DeadLetter | undefined

export const retryLetter = (letter: DeadLetter): Promise<void> =>
  tell(async () => {
    await ask(`/tester/bridge/dead-letters/${letter.id}/retry`, { method: 'POST', body: {} })
    retried = letter
    return `${letter.messageId} is tried again …`
  })

export const replaceLetter = (letter: DeadLetter, event: unknown): Promise<void> =>
  tell(async () => {
    await ask(`/tester/bridge/dead-letters/${letter.id}`, { method: 'PUT', body: event })
    retried = letter
    return `${letter.messageId} is changed, and tried again …`
  })

export const purgeLetter = ({ id, messageId }: DeadLetter): Promise<void> =>
  tell(async () => {
    await ask(`/tester/bridge/dead-letters/${id}`, { method: 'DELETE' })
    return `${messageId} is gone.`
  })

/** Says whether what was tried again has died again, or has left the queue. */
function followRetried(partitions: PartitionStatus[], letters: DeadLetter[]): void {
  if (!retried) return
  const { messageId, partition, diedAt } = retried
  const again = letters.find((letter) => letter.messageId === messageId && letter.diedAt > diedAt)
  const waits = partitions.find((one) => one.partition === partition)?.events ?? 0
  if (!again && waits > 0) return
  receipt.value = again
    ? `${messageId} died again at ${clock(again.diedAt)}: ${again.detail}`
    : `${messageId} is delivered.`
  retried = undefined
}

async function tell(act: () => Promise<string>): Promise<void> {
  try {
    receipt.value = await act()
  } catch (error) {
    receipt.value = messageOf(error)
  }
  await lookIntoBridge()
}
