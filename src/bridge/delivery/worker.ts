import { randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { LeaseLost } from '../queue'
import type { ClaimedPartition, Pool, Queue } from '../queue'
import { WINDOW_MS } from './backoff'
import type { CallsLeft } from './calls-left'
import { createDeliveryMetrics } from './metrics'
import { runPartition } from './run'
import type { Tools } from './run'
import { Slots } from './slots'

export interface DeliveryOptions {
  queue: Queue
  /** Where EmailSendX is: https, or http on loopback. */
  apiUrl: string
  log: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>
  /** ms since 1970. Default: the system's clock. */
  now?: () => number
  /** Partitions worked on at the same time, not counting those that wait for EmailSendX. Default 192. */
  concurrency?: number
  /** Keys that EmailSendX is asked about in a second, whatever comes in: each may be an invention. Default 20. */
  probesPerSecond?: number
  /** For so long a name that no automation waited for is not fired again. Default 0: every event is fired. */
  skipUnmatchedMs?: number
  /** How long an event waits for its email or its contact, from its arrival. Default one hour. */
  waitMs?: number
  /**
   * What to do with an event that was being fired when the bridge crashed, or whose answer was lost: send it again, so
   * that it may start automations twice (`resend`, default), or keep it as a dead letter (`dead-letter`).
   */
  onUnknownOutcome?: 'resend' | 'dead-letter'
  /** Where what is counted goes. */
  registry?: Registry
  /** Told what EmailSendX says of how many calls keys have left. */
  callsLeft?: CallsLeft
  /** How long other processes leave this one's partitions alone without a sign of life from it. Default 5 s. */
  leaseMs?: number
  /** How often to look for partitions that are due. Default 500 ms. */
  pollMs?: number
  /** How long `stop` lets calls under way finish. Default 8 s. */
  graceMs?: number
}

export interface Delivery {
  /** Finishes what is under way (within `graceMs` and a second), then gives up all partitions. */
  stop(): Promise<void>
}

const POOLS: Pool[] = ['normal', 'slow', 'unproven']
const HOUR_MS = 60 * 60 * 1000
/** Parts of the concurrency for partitions whose calls are slow or fail, and for those of keys nobody knows yet. */
const SLOW_SHARE = 1 / 4
const UNPROVEN_SHARE = 1 / 8
/** Bytes of events in memory, for a run when there are few and when there are many. */
const FEW_RUNS = 64
const PAGE_BYTES = 2_000_000
const SMALL_PAGE_BYTES = 250_000
/** How often keys that were refused are forgotten. */
const FORGET_REFUSED_MS = 5_000
/** How long the word that there is no such contact is good for. */
const MISSING_MS = 60_000
const RETRY_WRITE_MS = 500
const CLOSING_MS = 1_000

/** Delivers what is in the queue until it is stopped. Any number of processes may do so on one store. */
export function startDelivery(options: DeliveryOptions): Delivery {
  const worker = new DeliveryWorker(options)
  worker.start()
  return worker
}

class DeliveryWorker implements Delivery {
  private readonly id = randomUUID()
  private readonly now: () => number
  private readonly slots: Slots
  private readonly tools: Tools
  private readonly aborting = new AbortController()
  private readonly timers: NodeJS.Timeout[] = []
  private endListening: () => void = () => undefined
  private stopping?: Promise<void>
  private gone = false
  private looking = false
  private lookAgain = false
  private lastLook = -Infinity
  private lastPruning = -Infinity
  private lastForgetting = -Infinity
  /** Until when nobody can take over what this process works on, by performance.now(). */
  private leasedUntil = -Infinity
  private storeWorks = true
  /** A claim failed, and may have been done all the same. */
  private mayHoldMore = false

  constructor(private readonly options: DeliveryOptions) {
    const { queue, apiUrl, now = Date.now, concurrency = 192, waitMs = HOUR_MS, onUnknownOutcome, registry } = options
    const share = (part: number) => Math.max(1, Math.round(concurrency * part))
    this.now = now
    this.slots = new Slots(
      { normal: share(1 - SLOW_SHARE), slow: share(SLOW_SHARE), unproven: share(UNPROVEN_SHARE) },
      options.probesPerSecond ?? 20
    )
    this.tools = {
      runs: queue.runs,
      apiUrl,
      now,
      waitMs,
      skipUnmatchedMs: options.skipUnmatchedMs ?? 0,
      keepUnknownOutcomes: onUnknownOutcome === 'dead-letter',
      metrics: createDeliveryMetrics(registry),
      missing: rememberMissing(now),
      noteCalls: rememberCalls(now),
      notePace: (partition, pace) => options.callsLeft?.note(partition, pace),
      signal: this.aborting.signal,
      isStopping: () => this.stopping !== undefined,
      holdsLeases: () => performance.now() < this.leasedUntil,
      pageBytes: () => (this.slots.count > FEW_RUNS ? SMALL_PAGE_BYTES : PAGE_BYTES),
      onWaiting: (partitionId, isWaiting) => {
        this.slots.setWaiting(partitionId, isWaiting)
        if (isWaiting) this.look()
      },
      persist: (write) => this.persist(write)
    }
  }

  start(): void {
    const { leaseMs = 5_000, pollMs = 500, queue } = this.options
    this.endListening = queue.runs.onEnqueue(() => this.look())
    this.timers.push(setInterval(() => void this.heartbeat(leaseMs), leaseMs / 3))
    this.timers.push(setInterval(() => this.look(), pollMs))
    void this.heartbeat(leaseMs).then(() => this.look())
  }

  async stop(): Promise<void> {
    this.stopping ??= this.finish()
    return this.stopping
  }

  private async finish(): Promise<void> {
    this.endListening()
    const { graceMs = 8_000, queue } = this.options
    await this.idleWithin(graceMs)
    this.aborting.abort()
    await this.idleWithin(CLOSING_MS)
    this.gone = true
    for (const timer of this.timers) clearInterval(timer)
    await queue.runs.deregister(this.id).catch(() => undefined)
  }

  private async idleWithin(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))
    await Promise.race([late, this.slots.idle()])
    clearTimeout(timer)
  }

  private async heartbeat(leaseMs: number): Promise<void> {
    const begun = performance.now()
    await this.attempt(async () => {
      await this.options.queue.runs.heartbeat(this.id, leaseMs)
      this.leasedUntil = begun + leaseMs
    })
  }

  /** Looks for partitions that are due, and once more when asked meanwhile. */
  private look(): void {
    if (this.stopping) return
    this.lookAgain = true
    if (!this.looking) void this.lookWhileAsked()
  }

  private async lookWhileAsked(): Promise<void> {
    this.looking = true
    while (this.lookAgain && !this.stopping) {
      this.lookAgain = false
      await this.attempt(async () => {
        await this.tick()
        if (this.mayHoldMore) await this.options.queue.runs.letGo(this.id, this.slots.partitions)
        await this.claimAll()
      })
    }
    this.looking = false
  }

  private async claimAll(): Promise<void> {
    const claims = await Promise.allSettled(POOLS.map((pool) => this.claim(pool)))
    const failed = claims.find((claim) => claim.status === 'rejected')
    this.mayHoldMore = failed !== undefined
    if (failed) throw failed.reason
  }

  private async claim(pool: Pool): Promise<void> {
    const limit = this.slots.free(pool)
    if (limit <= 0) return
    const partitions = await this.options.queue.runs.claim(this.id, { pool, limit })
    for (const partition of partitions) {
      this.slots.take(partition.partitionId, pool, this.run(partition))
    }
  }

  private async run(partition: ClaimedPartition): Promise<void> {
    const { log } = this.options
    const { failures: before, pool } = partition
    try {
      const { suspended, failures, succeeded, erased } = await runPartition(partition, this.tools)
      const about = { partition: partition.partition, failures }
      if (suspended && pool === 'unproven') {
        // Anybody can have as many of these as they like.
        log.debug({ ...about, erased }, 'EmailSendX does not know an API key')
        this.tools.metrics.erased(erased)
      } else if (suspended) {
        log.warn({ ...about, status: suspended.status }, 'EmailSendX refuses the API key of this partition')
      } else if (pool !== 'unproven' && failures > before) log.warn(about, 'nothing can be delivered in this partition')
      else if (pool !== 'unproven' && succeeded && before > 0) log.info(about, 'this partition is delivered again')
    } catch (error) {
      if (error instanceof LeaseLost) log.warn({ partition: partition.partition }, 'lost the lease of this partition')
      else if (!this.gone)
        log.error({ partition: partition.partition, err: error }, 'a run of this partition ended early')
    }
    // Not before the slot is free.
    setImmediate(() => this.look())
  }

  /** Looks whether the clock was set back, and does what is to be done every few seconds and every hour. */
  private async tick(): Promise<void> {
    const now = this.now()
    const wasSetBack = now < this.lastLook - 1_000
    this.lastLook = now
    if (wasSetBack) await this.options.queue.runs.reschedule()
    if (wasSetBack || now - this.lastForgetting >= FORGET_REFUSED_MS) {
      this.lastForgetting = now
      await this.options.queue.forgetRefused()
    }
    if (wasSetBack || now - this.lastPruning >= HOUR_MS) {
      this.lastPruning = now
      const people = await this.options.queue.forgetDeleted()
      const pruned = { people, ...(await this.options.queue.prune()) }
      if (Object.values(pruned).some((count) => count > 0)) this.options.log.info(pruned, 'housekeeping')
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
   * partition with it. Not for longer than the worker lives, and not when the partition is somebody else's by now.
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
  const key = (partitionId: number, email: string) => `${partitionId} ${email}`
  return {
    note: (partitionId, email) => void told.set(key(partitionId, email), now()),
    has: (partitionId, email) => Math.abs(now() - (told.get(key(partitionId, email)) ?? -Infinity)) < MISSING_MS,
    forget: (partitionId, email) => void told.delete(key(partitionId, email))
  }
}

function rememberCalls(now: () => number): Tools['noteCalls'] {
  const times = new LRUCache<number, number[]>({ max: 10_000 })
  return (partitionId, count) => {
    const recent = (times.get(partitionId) ?? []).filter((time) => Math.abs(now() - time) < WINDOW_MS)
    recent.push(...Array.from({ length: count }, now))
    times.set(partitionId, recent)
    return recent.map((time) => now() - time)
  }
}
