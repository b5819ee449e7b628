import { LeaseLost } from '../queue'
import type { ClaimedLane, LaneWork, Rest, Settlement } from '../queue'
import { send } from './destination'
import type { Report } from './destination'
import { plan } from './lane'
import type { Call, Head, Rules } from './lane'
import type { DeliveryMetrics } from './metrics'
import { judge } from './outcome'
import { backOff, parkedPause, pauseAfter } from './pacing'
import { consequencesOf, goneWith, together } from './settlement'
import type { Consequences } from './settlement'
import { idKeysOf, recognise } from './users'

/** What a turn works with. */
export interface Tools {
  work: LaneWork
  apiUrl: string
  /** ms since 1970. */
  now: () => number
  waitMs: number
  keepUnknownOutcomes: boolean
  metrics: DeliveryMetrics
  /** When EmailSendX last said that a lane has no contact with an address. */
  missing: {
    note(laneId: number, email: string): void
    has(laneId: number, email: string): boolean
    forget(laneId: number, email: string): void
  }
  /** Ends calls under way. */
  signal: AbortSignal
  /** No further calls are to be begun. */
  isStopping: () => boolean
  /** Repeats a write until the store takes it, or until it no longer matters. */
  persist<Value>(write: () => Promise<Value>): Promise<Value>
}

/** A turn ends after so many calls or so long, so that every lane gets one. */
const CALLS_A_TURN = 10
const TURN_MS = 5_000

const PAGE = { rows: 1_000, bytes: 2_000_000 }

/** What one bulk call takes (the destination splits what is more). */
const MAX_CONTACTS = 500
/** From so many failures in a row on calls get smaller, down to a single event, to find out whether one of them is at fault. */
const FAILURES_BEFORE_SMALLER = 3

/** A turn that could not even be taken, because the store failed or there is an error in the bridge, is not repeated at once. */
const ERROR_PAUSE_MS = 5_000

/** A lane with a slower call than this is worked on beside the others. */
const SLOW_CALL_MS = 3_000

/**
 * Works on a claimed lane for a while, then gives it back.
 * @returns what the lane is left like
 * @throws LeaseLost when somebody else has taken it over
 */
export async function takeTurn(lane: ClaimedLane, tools: Tools): Promise<Rest> {
  const turn = new Turn(lane, tools)
  try {
    if (lane.apiKey !== undefined) await turn.run(lane.apiKey)
    else turn.park({ status: 403, reason: 'The stored API key is damaged and cannot be read.' })
  } catch (error) {
    if (error instanceof LeaseLost) throw error
    turn.pause(ERROR_PAUSE_MS)
    throw error
  } finally {
    await tools.persist(() => tools.work.release(lane, turn.rest))
  }
  return turn.rest
}

class Turn {
  readonly rest: Rest
  private head?: Head
  private tracksInARow = Infinity
  private succeededAt?: number

  constructor(private readonly lane: ClaimedLane, private readonly tools: Tools) {
    this.rest = { pausedUntil: 0, failures: lane.failures, slow: lane.failures > 0, succeeded: false, tried: false }
    this.succeededAt = lane.succeededAt
  }

  async run(apiKey: string): Promise<void> {
    const end = performance.now() + TURN_MS
    for (let calls = 0; calls < CALLS_A_TURN && performance.now() < end && !this.tools.isStopping(); ) {
      const head = (this.head ??= await this.read())
      const { call, held, dead, learned, wakeFirst, wakeIdentifies } = plan(head, this.rules())
      if (learned.length > 0) {
        await this.settle({ learned, wake: learned.map(({ key }) => key) })
        this.head = undefined
        continue
      }
      if (held.length + dead.length + wakeIdentifies.length > 0) {
        await this.settle({ held, dead: together(dead), wakeFirst, wakeIdentifies })
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

  park({ status, reason }: NonNullable<Rest['parked']>): void {
    this.rest.parked = { status, reason }
    this.rest.failures++
    this.rest.slow = true
    this.pause(parkedPause(this.rest.failures))
  }

  private async read(): Promise<Head> {
    const { work } = this.tools
    const { events, complete } = await work.head(this.lane, PAGE)
    const idKeys = idKeysOf(events)
    const items = recognise(events, (await work.whatIsKnown(this.lane, idKeys)).emails)
    const keys = [...new Set(items.flatMap((item) => item.keys))]
    const { held } = await work.whatIsKnown(this.lane, keys)
    return { items, complete, held, readUpTo: events[events.length - 1]?.arrivedAt ?? 0 }
  }

  private rules(): Rules {
    const { now, waitMs, keepUnknownOutcomes, missing } = this.tools
    const { failures } = this.rest
    return {
      now: now(),
      waitMs,
      keepUnknownOutcomes,
      maxContacts:
        failures < FAILURES_BEFORE_SMALLER
          ? MAX_CONTACTS
          : Math.max(1, MAX_CONTACTS >> (failures - FAILURES_BEFORE_SMALLER + 1)),
      tracksInARow: this.tracksInARow,
      isMissing: (email) => missing.has(this.lane.laneId, email)
    }
  }

  /** @returns whether to go on with the lane. */
  private async make(call: Call, apiKey: string): Promise<boolean> {
    const { work, apiUrl, now, signal, metrics } = this.tools
    const head = this.head as Head
    const rules = this.rules()
    const begun = performance.now()
    const report = await send(call, {
      settings: { apiKey, apiUrl },
      now,
      signal,
      beforeFiring: () => work.fire(this.lane, call.items[0].id)
    })
    metrics.called(report, (performance.now() - begun) / 1000)
    // What was interrupted stays as it is: an event being fired remains marked, everything else is simply sent again.
    if (signal.aborted) return false

    const limited = report.exchanges.some(({ status }) => status === 429)
    const verdicts = call.items.map((item, index) => judge(item, report.rows[index], report))
    const consequences = consequencesOf(call, verdicts, head, rules, {
      failures: this.rest.failures,
      succeededAt: this.succeededAt,
      limited
    })
    await this.settle(consequences.settlement)
    metrics.settled(call.type, consequences)
    this.learn(call, consequences)
    this.rest.tried = true
    this.rest.slow = performance.now() - begun > SLOW_CALL_MS
    return this.goesOn(report, consequences, limited)
  }

  private async settle(settlement: Settlement): Promise<void> {
    const { woken } = await this.tools.persist(() => this.tools.work.settle(this.lane, settlement))
    this.tools.metrics.died(settlement.dead ?? [])
    const gone = goneWith(settlement)
    if (this.head) {
      this.head.items = this.head.items.filter(({ id }) => !gone.has(id))
      for (const { id, keys, gate } of settlement.held ?? []) {
        this.head.held.push(...keys.map((key) => ({ key, gate, first: id })))
      }
    }
    if (woken > 0 || this.head?.items.length === 0) this.head = undefined
  }

  private learn(call: Call, { missing, settlement }: Consequences): void {
    const { laneId } = this.lane
    for (const email of missing) this.tools.missing.note(laneId, email)
    if (call.type === 'identify') {
      const delivered = new Set(settlement.delivered)
      for (const { id, email } of call.items) if (email && delivered.has(id)) this.tools.missing.forget(laneId, email)
      // The next bulk call should be a full one, and what was learned may tell whose the others are.
      this.head = undefined
      this.tracksInARow = 0
    } else {
      this.tracksInARow++
    }
  }

  private goesOn(report: Report, { progress, parked }: Consequences, limited: boolean): boolean {
    if (progress) {
      this.rest.succeeded = true
      this.succeededAt = this.tools.now()
      this.rest.failures = 0
    }
    if (parked) {
      this.park(parked)
      return false
    }
    const failed = !progress && !limited
    if (failed) {
      this.rest.failures++
      this.rest.slow = true
    }
    const pause = Math.max(pauseAfter(report.pace), failed ? backOff(this.rest.failures) : 0)
    this.pause(pause)
    return pause === 0
  }

  pause(ms: number): void {
    this.rest.pausedUntil = this.tools.now() + ms
  }
}
