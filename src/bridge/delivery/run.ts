import { LeaseLost } from '../queue'
import type { ClaimedPartition, Runs, ReleaseState, Ack } from '../queue'
import { send } from './destination'
import type { Report } from './destination'
import { plan } from './schedule'
import type { Call, Head, Rules } from './schedule'
import type { DeliveryMetrics } from './metrics'
import { classify } from './outcome'
import { backOff, suspendedPause, pauseAfter } from './backoff'
import { effectsOf, goneWith, together } from './apply'
import type { Effects } from './apply'
import { idKeysOf, recognise } from './identity-links'

/** What a turn works with. */
export interface Tools {
  runs: Runs
  apiUrl: string
  /** ms since 1970. */
  now: () => number
  waitMs: number
  keepUnknownOutcomes: boolean
  metrics: DeliveryMetrics
  /** When EmailSendX last said that a partition has no contact with an address. */
  missing: {
    note(partitionId: number, email: string): void
    has(partitionId: number, email: string): boolean
    forget(partitionId: number, email: string): void
  }
  /** Notes calls that were answered just now. @returns how long ago those of the last minute were, in ms, oldest first */
  noteCalls(partitionId: number, count: number): number[]
  /** Ends calls under way. */
  signal: AbortSignal
  /** No further calls are to be begun. */
  isStopping: () => boolean
  /** Repeats a write until the store takes it, or until it no longer matters. */
  persist<Value>(write: () => Promise<Value>): Promise<Value>
}

/** A turn ends after so many calls or so long, so that every partition gets one. */
const CALLS_A_RUN = 10
const RUN_MS = 5_000

const PAGE = { rows: 1_000, bytes: 2_000_000 }

/** What one bulk call takes (the destination splits what is more). */
const MAX_CONTACTS = 500
/** From so many failures in a row on calls get smaller, down to a single event, to find out whether one of them is at fault. */
const FAILURES_BEFORE_SMALLER = 3

/** A turn that could not even be taken, because the store failed or there is an error in the bridge, is not repeated at once. */
const ERROR_PAUSE_MS = 5_000

/** A partition with a slower call than this is worked on beside the others. */
const SLOW_CALL_MS = 3_000

/**
 * Works on a claimed partition for a while, then gives it back.
 * @returns what the partition is left like
 * @throws LeaseLost when somebody else has taken it over
 */
export async function runPartition(partition: ClaimedPartition, tools: Tools): Promise<ReleaseState> {
  const run = new Run(partition, tools)
  try {
    if (partition.apiKey !== undefined) await run.run(partition.apiKey)
    else run.suspend({ status: 403, reason: 'The stored API key is damaged and cannot be read.' })
  } catch (error) {
    if (error instanceof LeaseLost) throw error
    run.pause(ERROR_PAUSE_MS)
    throw error
  } finally {
    await tools.persist(() => tools.runs.release(partition, run.state))
  }
  return run.state
}

class Run {
  readonly state: ReleaseState
  private head?: Head
  private tracksInARow = Infinity
  private succeededAt?: number

  constructor(private readonly partition: ClaimedPartition, private readonly tools: Tools) {
    this.state = {
      pausedUntil: 0,
      failures: partition.failures,
      slow: partition.failures > 0,
      succeeded: false,
      tried: false
    }
    this.succeededAt = partition.succeededAt
  }

  async run(apiKey: string): Promise<void> {
    const end = performance.now() + RUN_MS
    for (let calls = 0; calls < CALLS_A_RUN && performance.now() < end && !this.tools.isStopping(); ) {
      const head = (this.head ??= await this.read())
      const { call, deferred, dead, links, requeueFirst, requeueIdentifies } = plan(head, this.rules())
      if (links.length > 0) {
        await this.ack({ links, requeue: links.map(({ key }) => key) })
        this.head = undefined
        continue
      }
      if (deferred.length + dead.length + requeueIdentifies.length > 0) {
        await this.ack({ deferred, dead: together(dead), requeueFirst, requeueIdentifies })
        // Something else may come first now.
        if (!this.head) continue
      }
      if (call) {
        calls++
        if (!(await this.make(call, apiKey))) return
      } else if (head.complete) {
        return
      } else {
        this.head = undefined
      }
    }
  }

  suspend({ status, reason }: NonNullable<ReleaseState['suspended']>): void {
    this.state.suspended = { status, reason }
    this.state.failures++
    this.state.slow = true
    this.pause(suspendedPause(this.state.failures))
  }

  private async read(): Promise<Head> {
    const { runs } = this.tools
    const { events, complete } = await runs.head(this.partition, PAGE)
    const idKeys = idKeysOf(events)
    const items = recognise(events, (await runs.lookUp(this.partition, idKeys)).emails)
    const keys = [...new Set(items.flatMap((item) => item.keys))]
    const { blocked } = await runs.lookUp(this.partition, keys)
    return { items, complete, blocked, readUpTo: events[events.length - 1]?.arrivedAt ?? 0 }
  }

  private rules(): Rules {
    const { now, waitMs, keepUnknownOutcomes, missing } = this.tools
    const { failures } = this.state
    return {
      now: now(),
      waitMs,
      keepUnknownOutcomes,
      maxContacts:
        failures < FAILURES_BEFORE_SMALLER
          ? MAX_CONTACTS
          : Math.max(1, MAX_CONTACTS >> (failures - FAILURES_BEFORE_SMALLER + 1)),
      tracksInARow: this.tracksInARow,
      isMissing: (email) => missing.has(this.partition.partitionId, email)
    }
  }

  /** @returns whether to go on with the partition. */
  private async make(call: Call, apiKey: string): Promise<boolean> {
    const { runs, apiUrl, now, signal, metrics } = this.tools
    const head = this.head as Head
    const rules = this.rules()
    const begun = performance.now()
    const report = await send(call, {
      settings: { apiKey, apiUrl },
      now,
      signal,
      beforeFiring: () => runs.markFiring(this.partition, call.items[0].id)
    })
    metrics.called(report, (performance.now() - begun) / 1000)
    // What was interrupted stays as it is: an event being fired remains marked, everything else is simply sent again.
    if (signal.aborted) return false

    const limited = report.exchanges.some(({ status }) => status === 429)
    const verdicts = call.items.map((item, index) => classify(item, report.rows[index], report))
    const effects = effectsOf(call, verdicts, head, rules, {
      failures: this.state.failures,
      succeededAt: this.succeededAt,
      limited
    })
    await this.ack(effects.ack)
    metrics.acked(call.type, effects)
    this.learn(call, effects)
    this.state.tried = true
    this.state.slow = performance.now() - begun > SLOW_CALL_MS
    return this.goesOn(report, effects, limited)
  }

  private async ack(ack: Ack): Promise<void> {
    const { requeued } = await this.tools.persist(() => this.tools.runs.ack(this.partition, ack))
    this.tools.metrics.died(ack.dead ?? [])
    const gone = goneWith(ack)
    if (this.head) {
      this.head.items = this.head.items.filter(({ id }) => !gone.has(id))
      for (const { id, keys, blocks } of ack.deferred ?? []) {
        this.head.blocked.push(...keys.map((key) => ({ key, blocks, first: id })))
      }
    }
    if (requeued > 0 || this.head?.items.length === 0) this.head = undefined
  }

  private learn(call: Call, { missing, ack }: Effects): void {
    const { partitionId } = this.partition
    for (const email of missing) this.tools.missing.note(partitionId, email)
    if (call.type === 'identify') {
      const delivered = new Set(ack.delivered)
      for (const { id, email } of call.items)
        if (email && delivered.has(id)) this.tools.missing.forget(partitionId, email)
      // The next bulk call should be a full one, and what was links may tell whose the others are.
      this.head = undefined
      this.tracksInARow = 0
    } else {
      this.tracksInARow++
    }
  }

  private goesOn(report: Report, { progress, suspended }: Effects, limited: boolean): boolean {
    if (progress) {
      this.state.succeeded = true
      this.succeededAt = this.tools.now()
      this.state.failures = 0
    }
    if (suspended) {
      this.suspend(suspended)
      return false
    }
    const failed = !progress && !limited
    if (failed) {
      this.state.failures++
      this.state.slow = true
    }
    const ages = this.tools.noteCalls(this.partition.partitionId, report.pace.length)
    const pause = Math.max(pauseAfter(report.pace, ages), failed ? backOff(this.state.failures) : 0)
    this.pause(pause)
    return pause === 0
  }

  pause(ms: number): void {
    this.state.pausedUntil = this.tools.now() + ms
  }
}
