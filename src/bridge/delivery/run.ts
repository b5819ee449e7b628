import { createRequestClient } from '@segment/actions-core'
import type { RequestClient } from '@segment/actions-core'
import { askForKey, normalizeEventName, requestOptions } from '../../../definitions/emailsendx/functions'
import type { ContactIds, Outcome, Pace, Settings } from '../../../definitions/emailsendx/functions'
import { LeaseLost } from '../queue'
import type { Ack, ClaimedPartition, ReleaseState, Runs } from '../queue'
import { emailKey } from '../queue/keys'
import { effectsOf, goneWith, together } from './apply'
import type { Effects } from './apply'
import { backOff, pauseAfter, suspendedPause } from './backoff'
import { send } from './destination'
import { idKeysOf, recognise } from './identity-links'
import type { Item } from './identity-links'
import { newTraits, withoutLive } from './live-traits'
import type { LiveTraits } from './live-traits'
import type { DeliveryMetrics } from './metrics'
import { plan } from './schedule'
import type { Call, Head, Rules } from './schedule'

/** What a run works with. */
export interface Tools {
  runs: Runs
  apiUrl: string
  /** ms since 1970. */
  now: () => number
  waitMs: number
  keepUnknownOutcomes: boolean
  /** For so long a name that no automation waited for is not fired again; 0: every event is fired. */
  skipUnmatchedMs: number
  metrics: DeliveryMetrics
  /** When EmailSendX last said that a partition has no contact with an address. */
  missing: {
    note(partitionId: number, email: string): void
    has(partitionId: number, email: string): boolean
    forget(partitionId: number, email: string): void
  }
  /** Notes calls that were answered just now. @returns how long ago those of the last minute were, in ms, oldest first */
  noteCalls(partitionId: number, count: number): number[]
  /** Notes what EmailSendX said of the pace of a partition, by its short name. */
  notePace(partition: string, pace: Pace | undefined): void
  /** Ends calls under way. */
  signal: AbortSignal
  /** No further calls are to be begun. */
  isStopping: () => boolean
  /** This process has said so lately that it lives that nobody can have taken over its partitions. */
  holdsLeases: () => boolean
  /** Bytes of events that a run may hold in memory. */
  pageBytes: () => number
  /** Tells whether the run waits for an answer for longer than most take. */
  onWaiting(partitionId: number, isWaiting: boolean): void
  /** Repeats a write until the store takes it, or until it no longer matters. */
  persist<Value>(write: () => Promise<Value>): Promise<Value>
}

/** What a partition is left like. */
export interface RunResult extends ReleaseState {
  /** Events and dead letters of an unknown key that are gone. */
  erased: number
}

/** A run ends after so many calls or so long, so that every partition gets one. */
const CALLS_A_RUN = 10
const RUN_MS = 5_000

const PAGE_ROWS = 1_000

/** What one bulk call takes (the destination splits what is more). */
const MAX_CONTACTS = 500
/** From so many failures in a row on calls get smaller, down to a single event, to find out whether one of them is at fault. */
const FAILURES_BEFORE_SMALLER = 3

/** A run that could not even begin, because the store failed or there is an error in the bridge, is not repeated at once. */
const ERROR_PAUSE_MS = 5_000

/** A call that takes longer no longer counts as work: the process begins others beside it. */
const WAITING_MS = 100
/** A partition with a slower call than this is worked on beside the others. */
const SLOW_CALL_MS = 3_000

/** A key that EmailSendX does not know is asked for once more, after this: its first answer may have been a slip. */
const ASK_AGAIN_MS = 1_000

/**
 * Works on a claimed partition for a while, then gives it back.
 * @throws LeaseLost when somebody else has taken it over
 */
export async function runPartition(partition: ClaimedPartition, tools: Tools): Promise<RunResult> {
  const { apiKey, pool } = partition
  const run = new Run(partition, tools, { apiKey: apiKey ?? '', apiUrl: tools.apiUrl })
  try {
    if (apiKey === undefined) run.suspend({ status: 403, reason: 'The stored API key is damaged and cannot be read.' })
    else if (pool === 'unproven') await run.prove()
    else await run.deliver()
  } catch (error) {
    if (!(error instanceof LeaseLost)) run.pause(ERROR_PAUSE_MS)
    await release()
    throw error
  }
  return { ...run.state, ...(await release()) }

  function release(): Promise<{ erased: number }> {
    return tools.persist(() => tools.runs.release(partition, run.state))
  }
}

class Run {
  readonly state: ReleaseState
  private readonly client: RequestClient
  private head?: Head
  private contacts = new Map<string, string>()
  private traits: LiveTraits = new Map()
  private newContacts: NonNullable<Ack['contacts']> = []
  /** Requests that were answered and are not counted yet. */
  private answers = 0
  private tracksInARow = Infinity
  private succeededAt?: number

  constructor(
    private readonly partition: ClaimedPartition,
    private readonly tools: Tools,
    private readonly settings: Settings
  ) {
    const { failures, succeededAt } = partition
    this.state = { pausedUntil: 0, failures, slow: failures > 0, succeeded: false, tried: false }
    this.succeededAt = succeededAt
    const { signal, metrics } = tools
    this.client = createRequestClient(requestOptions(settings), {
      signal,
      // A process that was stopped for a while must not send what another one has sent since.
      beforeRequest: [() => this.assertLease()],
      afterResponse: [
        ({ method }, _options, { status }) => {
          this.answers++
          metrics.requested(method, status)
        }
      ]
    })
  }

  /** Asks EmailSendX whether it knows the key, before anything is delivered with it. */
  async prove(): Promise<void> {
    const { kind, message, pace } = await this.timed('probe', () => askForKey(this.client, this.settings))
    if (this.tools.signal.aborted) return
    this.tools.noteCalls(this.partition.partitionId, this.answers)
    if (kind === 'delivered') this.tools.notePace(this.partition.partition, pace)
    this.state.tried = true
    if (kind === 'delivered' || kind === 'forbidden') {
      Object.assign(this.state, { succeeded: true, failures: 0, slow: false })
    } else if (kind === 'unauthorized' && this.partition.failures > 0) {
      this.state.suspended = { status: 401, reason: message }
      this.pause(suspendedPause(1))
    } else {
      // Failures count the refusals only: one of them, and a server out of order before it, refuse nobody.
      if (kind === 'unauthorized') this.state.failures = 1
      this.pause(kind === 'unauthorized' ? ASK_AGAIN_MS : backOff(UNREACHED))
    }
  }

  /** Makes calls until there is nothing to do, something is in the way, or others should have their turn. */
  async deliver(): Promise<void> {
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
        if (await this.isSkipped(call)) continue
        calls++
        if (!(await this.make(call))) return
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

  pause(ms: number): void {
    this.state.pausedUntil = this.tools.now() + ms
  }

  private async read(): Promise<Head> {
    const { runs, pageBytes } = this.tools
    const { events, complete } = await runs.head(this.partition, { rows: PAGE_ROWS, bytes: pageBytes() })
    const idKeys = idKeysOf(events)
    const byId = await runs.lookUp(this.partition, idKeys)
    const recognised = recognise(events, byId.emails)
    const others = new Set(recognised.flatMap((item) => item.keys))
    for (const key of idKeys) others.delete(key)
    const byEmail = await runs.lookUp(this.partition, [...others])
    this.contacts = byEmail.contactIds
    this.traits = byEmail.traits
    const items = recognised.map((item) => withoutLive(item, byEmail.traits, byId.emails))
    const blocked = [...byId.blocked, ...byEmail.blocked]
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

  /** Passes over an event whose name no automation waited for a moment ago, if that is wished for. */
  private async isSkipped({ type, items }: Call): Promise<boolean> {
    const { runs, now, skipUnmatchedMs } = this.tools
    if (type === 'identify' || skipUnmatchedMs === 0) return false
    const [item] = items
    const name = nameOf(item)
    const known = (await runs.lookUpNames(this.partition, [name])).get(name)
    if (!known || known.matches > 0 || Math.abs(now() - known.askedAt) >= skipUnmatchedMs) return false
    await this.ack({ delivered: [item.id], fired: [{ name, skipped: true }], requeue: item.keys })
    this.tools.metrics.skipped()
    return true
  }

  /** @returns whether to go on with the partition. */
  private async make(call: Call): Promise<boolean> {
    const { runs, now, signal, metrics } = this.tools
    const head = this.head as Head
    const rules = this.rules()
    const begun = performance.now()
    this.assertLease()
    const outcomes = await this.timed(call.type, () =>
      send(this.client, call, {
        settings: this.settings,
        now,
        contactIds: this.contactIds(),
        beforeFiring: () => runs.markFiring(this.partition, call.items[0].id)
      })
    )
    // What was interrupted stays as it is: an event being fired remains marked, everything else is simply sent again.
    if (signal.aborted) return false
    this.assertLease()

    const limited = outcomes.some(({ pace }) => pace?.status === 429)
    const effects = effectsOf(call, outcomes, head, rules, {
      failures: this.state.failures,
      succeededAt: this.succeededAt,
      limited
    })
    const contacts = this.newContacts.splice(0)
    const delivered = new Set(effects.ack.delivered)
    const traits = newTraits(
      call.items.filter(({ id }) => delivered.has(id)),
      this.traits
    )
    await this.ack({ ...effects.ack, contacts, traits })
    metrics.tried(call.type, outcomes)
    this.learn(call, effects)
    this.state.tried = true
    this.state.slow = performance.now() - begun > SLOW_CALL_MS
    return this.goesOn(outcomes, effects, limited)
  }

  /** Does something that waits for EmailSendX, and tells the worker when that takes long. */
  private async timed<Result>(type: Call['type'] | 'probe', work: () => Promise<Result>): Promise<Result> {
    const { tools } = this
    const { partitionId } = this.partition
    const begun = performance.now()
    const timer = setTimeout(() => tools.onWaiting(partitionId, true), WAITING_MS)
    try {
      return await work()
    } finally {
      clearTimeout(timer)
      tools.onWaiting(partitionId, false)
      tools.metrics.called(type, (performance.now() - begun) / 1000)
    }
  }

  /** @throws LeaseLost when others may have taken over the partition by now */
  private assertLease(): void {
    if (!this.tools.holdsLeases()) throw new LeaseLost(this.partition.partitionId)
  }

  /** The contacts that the store knows. What is found out goes there with the outcome of the call. */
  private contactIds(): ContactIds {
    return {
      get: (email) => this.contacts.get(emailKey(email)),
      set: (email, contactId) => {
        this.contacts.set(emailKey(email), contactId)
        this.newContacts.push({ key: emailKey(email), contactId })
      },
      delete: (email) => {
        this.contacts.delete(emailKey(email))
        this.newContacts.push({ key: emailKey(email) })
      }
    }
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
    // What has come since the end of the partition was read is left to its next run.
    if (requeued > 0 || (this.head?.items.length === 0 && !this.head.complete)) this.head = undefined
  }

  private learn(call: Call, { missing, ack }: Effects): void {
    const { partitionId } = this.partition
    for (const email of missing) this.tools.missing.note(partitionId, email)
    if (call.type === 'identify') {
      const delivered = new Set(ack.delivered)
      for (const { id, email } of call.items)
        if (email && delivered.has(id)) this.tools.missing.forget(partitionId, email)
      // The next bulk call should be a full one, and what was linked may tell whose the others are.
      if (this.head?.items.length !== 0) this.head = undefined
      this.tracksInARow = 0
    } else {
      this.tracksInARow++
    }
  }

  private goesOn(outcomes: Outcome[], { progress, suspended }: Effects, limited: boolean): boolean {
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
    const pace = outcomes.map((outcome) => outcome.pace).find((said) => said !== undefined)
    this.tools.notePace(this.partition.partition, pace)
    const ages = this.tools.noteCalls(this.partition.partitionId, this.answers)
    this.answers = 0
    const pause = Math.max(pauseAfter(pace, ages), failed ? backOff(this.state.failures) : 0)
    this.pause(pause)
    return pause === 0
  }
}

/** A key that EmailSendX could not be asked about is asked about again after the back-off of so many failures. */
const UNREACHED = 3

/** The name that an event is fired by. */
function nameOf({ event: { event, options } }: Item): string {
  const name = String(event.event)
  return options.eventNameForm === 'as_sent' ? name : normalizeEventName(name)
}
