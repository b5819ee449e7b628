import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openQueue } from '../../src/bridge/queue'
import type { Queue } from '../../src/bridge/queue'
import { identify } from '../../src/bridge/queue/__tests__/__helpers__/events'

export type Part = 'intake' | 'delivery'

/** What an event costs with so much in the store. */
export interface Point {
  size: number
  /** Microseconds of CPU. */
  micros: Record<Part, number>
  /** The multiple of what it costs in a store of the smallest size, which is measured in turn with this one. */
  ratio: Record<Part, number>
}

/** Something that there may be more and more of in a store. */
interface Growing {
  fill(queue: Queue, from: number, to: number): Promise<void>
  /** Takes events and delivers as many, so that the store is as it was. */
  round(queue: Queue, size: number, clock: Clock): Promise<void>
  /** Events of a round. */
  events: number
}

const ROUNDS = 7
const WARM_UPS = 3
const PAGE = { rows: 500, bytes: 10_000_000 }
const WORKER = 'bench'
const LEASE_MS = 60_000
/** So many keys that EmailSendX has not accepted yet may be there at once. */
const STRANGERS = 200

/** One key, and the events of it that wait; requests of 50, deliveries of 500. */
export const waitingEvents: Growing = {
  async fill(queue, from, to) {
    if (from === 0) await introduce(queue, [keyOf(0)])
    for (let n = from; n < to; n += 1_000) await enqueue(queue, keyOf(0), Math.min(1_000, to - n))
  },
  async round(queue, _size, clock) {
    await clock.time('intake', async () => {
      for (let n = 0; n < this.events; n += 50) await enqueue(queue, keyOf(0), 50)
    })
    await clock.time('delivery', () => deliver(queue, this.events))
  },
  events: 500
}

/** Keys; each event comes and goes by itself, and is of another key each time. */
export const knownKeys: Growing = {
  async fill(queue, from, to) {
    for (let n = from; n < to; n += STRANGERS) {
      const length = Math.min(STRANGERS, to - n)
      await introduce(
        queue,
        Array.from({ length }, (_, index) => keyOf(n + index))
      )
    }
  },
  async round(queue, size, clock) {
    for (let n = 0; n < this.events; n++) {
      const key = keyOf(Math.floor((n * size) / this.events))
      await clock.time('intake', () => enqueue(queue, key, 1))
      await clock.time('delivery', () => deliver(queue, 1))
    }
  },
  events: 200
}

export async function grow(growing: Growing, sizes: number[]): Promise<Point[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-growth-'))
  const [small, large] = [await open(folder, 'small'), await open(folder, 'large')]
  try {
    await growing.fill(small, 0, sizes[0])
    const points: Point[] = []
    let filled = 0
    for (const size of sizes) {
      await growing.fill(large, filled, size)
      filled = size
      points.push({ size, ...(await compare(growing, [large, size], [small, sizes[0]])) })
    }
    return points
  } finally {
    await Promise.all([small.close(), large.close()])
    rmSync(folder, { recursive: true })
  }
}

type Sized = [queue: Queue, size: number]

/** Medians of several rounds, in which both take turns: a busy minute of the machine then changes no ratio. */
async function compare(growing: Growing, large: Sized, small: Sized): Promise<Omit<Point, 'size'>> {
  const rounds: { micros: Clock['micros']; ratio: Clock['micros'] }[] = []
  for (let n = -WARM_UPS; n < ROUNDS; n++) {
    const [micros, base] = [await costOf(growing, large), await costOf(growing, small)]
    const ratio = { intake: micros.intake / base.intake, delivery: micros.delivery / base.delivery }
    if (n >= 0) rounds.push({ micros, ratio })
  }
  const middle = (of: 'micros' | 'ratio', digits: number) => ({
    intake: median(
      rounds.map((round) => round[of].intake),
      digits
    ),
    delivery: median(
      rounds.map((round) => round[of].delivery),
      digits
    )
  })
  return { micros: middle('micros', 1), ratio: middle('ratio', 2) }
}

async function costOf(growing: Growing, [queue, size]: Sized): Promise<Clock['micros']> {
  await queue.runs.heartbeat(WORKER, LEASE_MS)
  const clock = new Clock()
  await growing.round(queue, size, clock)
  const { intake, delivery } = clock.micros
  return { intake: intake / growing.events, delivery: delivery / growing.events }
}

/** CPU time of this process, summed up by part. */
class Clock {
  readonly micros: Record<Part, number> = { intake: 0, delivery: 0 }

  async time(part: Part, work: () => Promise<void>): Promise<void> {
    const before = process.cpuUsage()
    await work()
    const { user, system } = process.cpuUsage(before)
    this.micros[part] += user + system
  }
}

const keyOf = (n: number) => `esx_test_${String(n).padStart(32, '0')}`

async function open(folder: string, name: string): Promise<Queue> {
  return openQueue(path.join(folder, `${name}.db`), { maxBytes: 1e12, maxPartitionBytes: 1e12 })
}

/** Keys that EmailSendX accepts. */
async function introduce(queue: Queue, apiKeys: string[]): Promise<void> {
  await queue.runs.heartbeat(WORKER, LEASE_MS)
  await Promise.all(apiKeys.map((apiKey) => queue.enqueue({ apiKey }, { events: [], rejected: [] })))
  const claimed = await queue.runs.claim(WORKER, { pool: 'unproven', limit: apiKeys.length })
  await Promise.all(claimed.map((partition) => queue.runs.release(partition, DONE)))
}

const DONE = { pausedUntil: 0, failures: 0, slow: false, succeeded: true, tried: true }

async function enqueue(queue: Queue, apiKey: string, count: number): Promise<void> {
  const events = Array.from({ length: count }, () => {
    const userId = `user-${Math.floor(Math.random() * 1e9)}`
    return identify({ userId, email: `${userId}@example.com` }, { email: `${userId}@example.com`, plan: 'pro' })
  })
  await queue.enqueue({ apiKey }, { events, rejected: [] })
}

/** So many events, as the delivery does it, without the calls. */
async function deliver(queue: Queue, count: number): Promise<void> {
  for (let delivered = 0; delivered < count; ) {
    for (const partition of await queue.runs.claim(WORKER, { pool: 'normal', limit: 1 })) {
      const { events } = await queue.runs.head(partition, PAGE)
      await queue.runs.ack(partition, { delivered: events.map(({ id }) => id) })
      await queue.runs.release(partition, DONE)
      delivered += events.length
    }
  }
}

function median(values: number[], digits: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  return Number(sorted[Math.floor(sorted.length / 2)].toFixed(digits))
}
