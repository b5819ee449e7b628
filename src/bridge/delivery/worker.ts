import { randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { LeaseLost } from '../queue'
import type { ClaimedLane, Spool } from '../queue'
import { createDeliveryMetrics } from './metrics'
import { takeTurn } from './turn'
import type { Tools } from './turn'

export interface DeliveryOptions {
  spool: Spool
  /** Where EmailSendX is: https, or http on loopback. */
  apiUrl: string
  log: Pick<Logger, 'info' | 'warn' | 'error'>
  /** ms since 1970. Default: the system's clock. */
  now?: () => number
  /** Lanes worked on at the same time. Default 64. */
  concurrency?: number
  /** How long an event waits for its email or its contact, from its arrival. Default one hour. */
  waitMs?: number
  /**
   * What to do with an event that was being fired when the bridge crashed, or whose answer was lost: send it again, so
   * that it may start automations twice (`resend`, default), or keep it as a dead letter (`dead-letter`).
   */
  onUnknownOutcome?: 'resend' | 'dead-letter'
  /** Where what is counted goes. */
  registry?: Registry
  /** How long other processes leave this one's lanes alone without a sign of life from it. Default 5 s. */
  leaseMs?: number
  /** How often to look for lanes that are due. Default 500 ms. */
  pollMs?: number
  /** How long `stop` lets calls under way finish. Default 8 s. */
  graceMs?: number
}

export interface Delivery {
  /** Finishes what is under way (within `graceMs` and a second), then gives up all lanes. */
  stop(): Promise<void>
}

const HOUR_MS = 60 * 60 * 1000
/** Part of the concurrency that is for lanes whose calls are slow or fail, so that these never keep the others waiting. */
const SLOW_SHARE = 1 / 4
/** How long the word that there is no such contact is good for. */
const MISSING_MS = 60_000
const RETRY_WRITE_MS = 500
const CLOSING_MS = 1_000

/** Delivers what is in the spool until it is stopped. Any number of processes may do so on one store. */
export function startDelivery(options: DeliveryOptions): Delivery {
  const worker = new DeliveryWorker(options)
  worker.start()
  return worker
}

class DeliveryWorker implements Delivery {
  private readonly id = randomUUID()
  private readonly now: () => number
  private readonly capacity: { fast: number; slow: number }
  private readonly running = new Map<number, { slow: boolean; done: Promise<void> }>()
  private readonly tools: Tools
  private readonly aborting = new AbortController()
  private readonly timers: NodeJS.Timeout[] = []
  private endArrivals: () => void = () => undefined
  private stopping?: Promise<void>
  private gone = false
  private looking = false
  private lookAgain = false
  private lastLook = -Infinity
  private lastRetention = -Infinity
  private storeWorks = true

  constructor(private readonly options: DeliveryOptions) {
    const { spool, apiUrl, now = Date.now, concurrency = 64, waitMs = HOUR_MS, onUnknownOutcome, registry } = options
    this.now = now
    const slow = Math.max(1, Math.round(concurrency * SLOW_SHARE))
    this.capacity = { slow, fast: Math.max(1, concurrency - slow) }
    this.tools = {
      work: spool.work,
      apiUrl,
      now,
      waitMs,
      keepUnknownOutcomes: onUnknownOutcome === 'dead-letter',
      metrics: createDeliveryMetrics(registry),
      missing: rememberMissing(now),
      signal: this.aborting.signal,
      isStopping: () => this.stopping !== undefined,
      persist: (write) => this.persist(write)
    }
  }

  start(): void {
    const { leaseMs = 5_000, pollMs = 500, spool } = this.options
    this.endArrivals = spool.work.onArrival(() => this.look())
    this.timers.push(setInterval(() => void this.beat(leaseMs), leaseMs / 3))
    this.timers.push(setInterval(() => this.look(), pollMs))
    void this.beat(leaseMs).then(() => this.look())
  }

  async stop(): Promise<void> {
    this.stopping ??= this.finish()
    return this.stopping
  }

  private async finish(): Promise<void> {
    this.endArrivals()
    const { graceMs = 8_000, spool } = this.options
    await this.idleWithin(graceMs)
    this.aborting.abort()
    await this.idleWithin(CLOSING_MS)
    this.gone = true
    for (const timer of this.timers) clearInterval(timer)
    await spool.work.leave(this.id).catch(() => undefined)
  }

  private async idleWithin(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))
    await Promise.race([late, Promise.all([...this.running.values()].map(({ done }) => done))])
    clearTimeout(timer)
  }

  private async beat(leaseMs: number): Promise<void> {
    await this.attempt(() => this.options.spool.work.beat(this.id, leaseMs))
  }

  /** Looks for lanes that are due, and once more when asked meanwhile. */
  private look(): void {
    if (this.stopping) return
    this.lookAgain = true
    if (this.looking) return
    this.looking = true
    void this.lookWhileAsked().finally(() => (this.looking = false))
  }

  private async lookWhileAsked(): Promise<void> {
    while (this.lookAgain && !this.stopping) {
      this.lookAgain = false
      await this.attempt(async () => {
        await this.minutes()
        for (const slow of [false, true]) await this.claim(slow)
      })
    }
  }

  private async claim(slow: boolean): Promise<void> {
    const busy = [...this.running.values()].filter((lane) => lane.slow === slow).length
    const limit = this.capacity[slow ? 'slow' : 'fast'] - busy
    if (limit <= 0) return
    const except = [...this.running.keys()]
    const lanes = await this.options.spool.work.claim(this.id, { limit, slow, except })
    for (const lane of lanes) {
      const done = this.turn(lane).finally(() => {
        this.running.delete(lane.laneId)
        this.look()
      })
      this.running.set(lane.laneId, { slow, done })
    }
  }

  private async turn(lane: ClaimedLane): Promise<void> {
    const { log } = this.options
    try {
      const { parked, failures, succeeded } = await takeTurn(lane, this.tools)
      const about = { lane: lane.lane, failures }
      if (parked) log.warn({ ...about, status: parked.status }, 'EmailSendX refuses the API key of this lane')
      else if (failures > lane.failures) log.warn(about, 'nothing can be delivered in this lane')
      else if (succeeded && lane.failures > 0) log.info(about, 'this lane is delivered again')
    } catch (error) {
      if (error instanceof LeaseLost) log.warn({ lane: lane.lane }, 'another process has taken over this lane')
      else if (!this.gone) log.error({ lane: lane.lane, err: error }, 'a turn of this lane ended early')
    }
  }

  /** What is done by the clock: a look at the clock itself, and housekeeping once an hour. */
  private async minutes(): Promise<void> {
    const now = this.now()
    const wasSetBack = now < this.lastLook - 1_000
    this.lastLook = now
    if (wasSetBack) await this.options.spool.work.rewind()
    if (wasSetBack || now - this.lastRetention >= HOUR_MS) {
      this.lastRetention = now
      const retained = await this.options.spool.retain()
      if (Object.values(retained).some((count) => count > 0)) this.options.log.info({ ...retained }, 'housekeeping')
    }
  }

  /** Does something that will be done again soon anyway. The log tells once that the store fails, and once that it is back. */
  private async attempt(something: () => Promise<void>): Promise<void> {
    const { log } = this.options
    try {
      await something()
      if (!this.storeWorks) log.info('the store works again')
      this.storeWorks = true
    } catch (error) {
      if (this.storeWorks && !this.gone) log.error({ err: error }, 'the store fails, delivery waits for it')
      this.storeWorks = false
    }
  }

  /**
   * What came of a call must be written down, or the events would be sent again: while the store fails, this waits, and the
   * lane with it. Not for longer than the worker lives, and not when the lane is somebody else's by now.
   */
  private async persist<Value>(write: () => Promise<Value>): Promise<Value> {
    for (let tries = 1; ; tries++) {
      try {
        return await write()
      } catch (error) {
        if (error instanceof LeaseLost || this.gone) throw error
        if (tries === 1) this.options.log.error({ err: error }, 'what came of a call waits to be written down')
        await new Promise((resolve) => setTimeout(resolve, RETRY_WRITE_MS))
      }
    }
  }
}

function rememberMissing(now: () => number): Tools['missing'] {
  const told = new LRUCache<string, number>({ max: 10_000 })
  const key = (laneId: number, email: string) => `${laneId} ${email}`
  return {
    note: (laneId, email) => void told.set(key(laneId, email), now()),
    has: (laneId, email) => Math.abs(now() - (told.get(key(laneId, email)) ?? -Infinity)) < MISSING_MS,
    forget: (laneId, email) => void told.delete(key(laneId, email))
  }
}
