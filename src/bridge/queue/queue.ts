import { toUSVString } from 'node:util'
import { LRUCache } from 'lru-cache'
import type { BridgeEvent } from '../event'
import { atOnce, Slices } from '../slices'
import type { Driver, Store } from './drivers/driver'
import type { Encryption } from './encryption'
import { LeaseLost, PartitionRefused, QueueFull } from './errors'
import { emailKey, messageKey } from './keys'
import { toBeDeleted, toPerson } from './person'
import type { Person, PersonFilter } from './person'
import { sharedCommits } from './shared-commits'
import type { DeadLetterCondition } from './transactions/dead-letters'
import type { PackedRequest } from './transactions/enqueue'
import { nameOf } from './transactions/partitions'
import type { PartitionCondition } from './transactions/partitions'
import type { DeleteRequest, Trace } from './transactions/people'
import { bytesOf } from './transactions/sql'
import type {
  Ack,
  ClaimedPartition,
  DeadLetter,
  DeadLetterFilter,
  Enqueued,
  EnqueueRequest,
  EventNameReport,
  Known,
  Lease,
  PartitionFilter,
  PartitionKey,
  PartitionStatus,
  Pool,
  Pruned,
  QueuePage,
  QueueStats,
  ReleaseState,
  WaitingEvent
} from './types'

export interface Limits {
  /** Bytes of all events and dead letters. Over it the store takes nothing. */
  maxBytes: number
  /** Bytes of the undelivered events of one partition. */
  maxPartitionBytes: number
  /** How long the oldest event of a partition may have been stuck; over it the partition takes nothing. */
  maxAgeMs: number
  /** How long message ids are remembered to tell duplicates, at least. Default 30 days, as long as RudderStack sends again. */
  dedupeMs: number
  /** Message ids, and ids of users, that are remembered, within the hour. When there are more, the oldest are forgotten. */
  maxRemembered: number
  /** How long dead letters are kept. */
  deadLetterMs: number
  /** How long addresses and contacts are remembered of users of whom nothing comes any more. */
  forgetAfterMs: number
}

const DAY_MS = 24 * 60 * 60 * 1000
export const DEFAULT_LIMITS: Limits = {
  maxBytes: 10 * 1024 ** 3,
  maxPartitionBytes: 2 * 1024 ** 3,
  maxAgeMs: 7 * DAY_MS,
  dedupeMs: 30 * DAY_MS,
  maxRemembered: 100_000_000,
  deadLetterMs: 90 * DAY_MS,
  forgetAfterMs: 400 * DAY_MS
}

/** Added to the bytes of an event for its row, keys and indexes. */
const ROW_BYTES = 300
/** Items of a request that are made into rows without a pause. */
const MAX_PACKED_AT_ONCE = 16
/** The share of the store that keys have which EmailSendX has not accepted yet, all of them together. */
const UNPROVEN_SHARE = 1 / 50
/** How old the sum of all bytes may be; and as part of the time, how much may be spent on it: it is a look at all partitions. */
const SUM_MAX_AGE_MS = 1_000
const SUM_TIME_SHARE = 1 / 100
/** Rows changed in one transaction by housekeeping, so that requests never wait long for it. */
const CHORE_ROWS = 1_000
/** How long a refused key is remembered for an immediate answer. */
const REFUSED_MS = 20_000
const SCAN_ROWS = 500
const LIST_ROWS = 100
/** Characters of an API key that are shown: `esx_live_` and four of it. */
const KEY_PREFIX = 13

/** Told how many rows a long job has done so far. */
export type Progress = (done: number) => void

/**
 * The durable queue between ingest and delivery. Everything that was acknowledged is in here until it is delivered or a dead
 * letter. Two drivers keep the same promises: a SQLite file, and Postgres for several machines. All methods throw
 * QueueUnavailable when the store can't be used.
 */
export class Queue {
  private readonly commits: ReturnType<typeof sharedCommits>
  private readonly listeners = new Set<() => void>()
  /** What a key is stored as, of the keys used lately. */
  private readonly keys = new LRUCache<string, Pick<PackedRequest, 'fingerprint' | 'encryptedKey'>>({ max: 10_000 })
  /** Fingerprints of keys that EmailSendX has accepted. */
  private readonly proven = new LRUCache<string, true>({ max: 100_000 })
  private readonly packing = { proven: new Slices(), strangers: new Slices() }
  private bytes = { kept: 0, countAgainAt: -Infinity }

  constructor(
    private readonly store: Store,
    private readonly driver: Pick<Driver, 'scrub' | 'close'>,
    private readonly encryption: Encryption,
    private readonly now: () => number,
    private readonly limits: Limits
  ) {
    this.commits = sharedCommits(store, { ...limits, maxUnprovenBytes: limits.maxBytes * UNPROVEN_SHARE })
  }

  /**
   * Takes one request. Everything of it is committed and on disk when this resolves; when it rejects, nothing of it is.
   * @throws QueueFull, PartitionRefused, QueueUnavailable
   */
  async enqueue({ apiKey }: PartitionKey, request: EnqueueRequest): Promise<Enqueued> {
    const packed = await this.pack(apiKey, request)
    const { maxBytes, maxPartitionBytes } = this.limits
    if ((await this.bytesKept()) + packed.bytes > maxBytes) {
      throw new QueueFull('store', 'bytes', `The store holds its limit of ${maxBytes} bytes.`)
    }
    this.bytes.kept += packed.bytes
    const result = await this.commits.enqueue.add(packed)
    if ('refused' in result) throw new PartitionRefused(result.refused)
    if ('full' in result) {
      if (result.full === 'unproven') this.announce()
      throw fullError(result.full, maxPartitionBytes)
    }
    this.announce()
    return result
  }

  /**
   * Whether EmailSendX has ever accepted the key. Anybody can make up another one.
   * @throws PartitionRefused when it has just refused it
   */
  async isProven({ apiKey }: PartitionKey): Promise<boolean> {
    const { fingerprint } = this.namesOf(apiKey)
    if (this.proven.has(fingerprint)) return true
    const answer = await this.store.isProven(fingerprint)
    if (typeof answer === 'object') throw new PartitionRefused(answer.refused)
    if (answer) this.proven.set(fingerprint, true)
    return answer
  }

  /** Writing megabytes of JSON takes a while, in which others want to be answered. */
  private async pack(apiKey: string, request: EnqueueRequest): Promise<PackedRequest> {
    const names = this.namesOf(apiKey)
    const work = packed(names, request)
    if (request.events.length + request.rejected.length <= MAX_PACKED_AT_ONCE) return atOnce(work)
    return this.packing[this.proven.has(names.fingerprint) ? 'proven' : 'strangers'].run(work)
  }

  /** Resolves when the store can take a commit right now. */
  async ping(): Promise<void> {
    await this.store.writeProbe()
  }

  /** What metrics and health show. Cheap enough to be called every few seconds. */
  async stats(): Promise<QueueStats> {
    return { ...(await this.store.totals()), maxBytes: this.limits.maxBytes }
  }

  /** Deletes what is past its time. Delivery runs it hourly. */
  async prune(): Promise<Pruned> {
    const { store, limits } = this
    const now = this.now()
    if (!(await store.mayPrune())) {
      return { messageIds: 0, identities: 0, deadLetters: 0, keyRefused: 0, partitions: 0 }
    }
    const links = await untilDone(() => store.forgetLinks(now - limits.forgetAfterMs, CHORE_ROWS))
    const contacts = await untilDone(() => store.forgetContacts(now - limits.forgetAfterMs, CHORE_ROWS))
    const traits = await untilDone(() => store.forgetTraits(now - limits.forgetAfterMs, CHORE_ROWS))
    const excess = (await store.totals()).identityLinks - limits.maxRemembered
    return {
      identities: links + contacts + traits + (await this.forgetOldestLinks(excess)),
      deadLetters: await untilDone(() => store.purgeDead({ until: now - limits.deadLetterMs }, CHORE_ROWS)),
      keyRefused: await untilDone(() => store.burySuspended(now - limits.maxAgeMs, CHORE_ROWS)),
      partitions: await untilDone(() => store.forgetPartitions(now - limits.dedupeMs, CHORE_ROWS)),
      // Last, since a backup that is being made may stand in its way.
      messageIds: await store.forgetMessages(limits.dedupeMs, limits.maxRemembered)
    }
  }

  /** Forgets keys that were refused twenty seconds ago and had never worked. Delivery runs it every few seconds. @returns how many */
  async forgetRefused(): Promise<number> {
    return untilDone(() => this.store.forgetRefused(this.now() - REFUSED_MS, CHORE_ROWS))
  }

  /**
   * Erases a person from the partitions: addresses, ids and contact, waiting events and dead letters. A dead letter that asks
   * to delete the person stays, without their name. On SQLite the file is written anew, which takes a while when it is large.
   * @returns how many events and dead letters, and how many ids
   */
  async forget(filter: PersonFilter & PartitionFilter): Promise<{ events: number; deadLetters: number; ids: number }> {
    const { store } = this
    const result = { events: 0, deadLetters: 0, ids: 0 }
    const { fingerprint } = this.conditionOf(filter)
    for (const id of await store.partitionIds({ fingerprint })) {
      const forgotten = await this.forgetIn(id, toPerson(filter), Number.MAX_SAFE_INTEGER)
      result.events += forgotten.events
      result.deadLetters += forgotten.deadLetters
      result.ids += forgotten.ids
    }
    await this.driver.scrub()
    return result
  }

  /**
   * Carries out the requests to delete a person that came as events and are dead letters now: erases of each, in the
   * partition of the request, what arrived up to then. Delivery runs it hourly; the file is written anew once for all.
   * @returns how many requests
   */
  async forgetDeleted(): Promise<number> {
    const { store } = this
    const all: DeleteRequest[] = []
    for await (const { requests } of pages((after) => store.deleteRequests(after, SCAN_ROWS))) all.push(...requests)
    for (const { partitionId, person, arrivedAt } of all) await this.forgetIn(partitionId, person, arrivedAt)
    if (all.length > 0) await this.driver.scrub()
    return all.length
  }

  private async forgetIn(partitionId: number, named: Person, until: number) {
    const { store } = this
    const person = await store.whoIs(partitionId, named)
    const forget = async (trace: Trace) => {
      let count = 0
      const scan = (after: number) => store.forgetTraces(trace, partitionId, person, until, after, SCAN_ROWS)
      for await (const { erased } of pages(scan)) count += erased
      return count
    }
    const events = await forget('events')
    const deadLetters = await forget('letters')
    // After what they help to find, and the request last of all, so that it can be done again when something fails on the way.
    const ids = await store.forgetIdentity(partitionId, person, until)
    const requests = await forget('requests')
    return { events, deadLetters: deadLetters + requests, ids }
  }

  /** Waits for what is being written, then closes the store. Every later call rejects with QueueUnavailable. */
  async close(): Promise<void> {
    await this.driver.close()
  }

  readonly deadLetters = {
    /** Newest first. `before` is the last id of the page before. */
    list: (filter: DeadLetterFilter, { limit = LIST_ROWS, before }: { limit?: number; before?: number } = {}) =>
      this.store.listDead({ ...this.conditionOf(filter), before }, limit),

    count: (filter: DeadLetterFilter): Promise<number> => this.store.countDead(this.conditionOf(filter)),

    /** One dead letter with what was received: the BridgeEvent, or the rejected item as it came. */
    show: (id: number): Promise<(DeadLetter & { content: unknown }) | undefined> => this.store.showDead(id),

    /** Puts them back at the end of their partitions, as if they had arrived now. Rejected items stay where they are. */
    retry: async (filter: DeadLetterFilter, progress?: Progress): Promise<{ retried: number; kept: number }> => {
      const condition = this.conditionOf(filter)
      const retried = await untilDone(() => this.store.retryDead(condition, CHORE_ROWS), progress)
      this.announce()
      return { retried, kept: await this.store.countDead({ ...condition, isEvent: false }) }
    },

    /** Puts an event in the place of what is in a dead letter. @returns whether there is such a letter */
    replace: (id: number, event: BridgeEvent): Promise<boolean> => {
      const { body, bytes } = written(event.messageId, event)
      return this.store.replaceDead(id, event.type, body, bytes)
    },

    purge: (filter: DeadLetterFilter, progress?: Progress): Promise<number> =>
      untilDone(() => this.store.purgeDead(this.conditionOf(filter), CHORE_ROWS), progress)
  }

  /** Partitions as an operator sees them. */
  readonly partitions = {
    list: async ({
      limit = LIST_ROWS,
      ...filter
    }: PartitionFilter & { suspended?: boolean; limit?: number } = {}): Promise<PartitionStatus[]> => {
      const found = await this.store.listPartitions(this.conditionOf(filter), limit)
      return found.map(({ encryptedKey, ...status }) => ({
        ...status,
        keyPrefix: this.decrypt(encryptedKey)?.slice(0, KEY_PREFIX)
      }))
    },

    /** Waiting events, in the order of their arrival. `after` is the last id of the page before. */
    events: (
      filter: PartitionFilter,
      { after = 0, limit = LIST_ROWS }: { after?: number; limit?: number } = {}
    ): Promise<WaitingEvent[]> => this.store.listEvents(this.conditionOf(filter), after, limit),

    /** Remembers the ids of contacts, so that their events need no look-up. */
    learnContacts: async (filter: PartitionFilter, contacts: { email: string; id: string }[]): Promise<void> => {
      const keyed = contacts.map(({ email, id }) => ({ key: emailKey(email), contactId: id }))
      for (const partitionId of await this.store.partitionIds(this.conditionOf(filter))) {
        await this.store.noteContactIds(partitionId, keyed)
      }
    },

    /** Nothing more is delivered for them until they are resumed. @returns how many */
    pause: (filter: PartitionFilter): Promise<number> => this.store.pause(this.conditionOf(filter)),

    /** Lets suspended and paused partitions try again at once. @returns how many */
    resume: async (filter: PartitionFilter): Promise<number> => {
      const count = await this.store.resume(this.conditionOf(filter))
      this.announce()
      return count
    },

    /** Lets suspended partitions try again at once, unless they are paused. @returns how many */
    retry: async (filter: PartitionFilter): Promise<number> => {
      const count = await this.store.retry(this.conditionOf(filter))
      this.announce()
      return count
    },

    /** Deletes their waiting events. @returns how many */
    drop: (filter: PartitionFilter, progress?: Progress): Promise<number> =>
      untilDone(() => this.store.drop(this.conditionOf(filter), CHORE_ROWS), progress),

    /** What the calls for each event name came to. */
    report: (filter: PartitionFilter = {}): Promise<EventNameReport[]> =>
      this.store.reportNames(this.conditionOf(filter))
  }

  /**
   * Work on partitions, across all processes that share the store. A partition is worked on by whoever claimed it last; the
   * store takes nothing about it from anybody else. Times are the process's own, leases go by the store's clock.
   */
  readonly runs = {
    /** Says that the worker lives. Partitions of a worker that has not said so for `leaseMs` (at most a minute) are up for grabs. */
    heartbeat: (worker: string, leaseMs: number): Promise<void> => this.store.heartbeat(worker, leaseMs),

    /** Ends the worker: its partitions are free at once. */
    deregister: (worker: string): Promise<void> => this.store.deregister(worker),

    /** Frees all partitions of the worker but those it works on: of a claim that failed nobody knows whether it was done. */
    letGo: (worker: string, workedOn: number[]): Promise<void> => this.store.letGo(worker, workedOn),

    /** Takes partitions of a pool that are due: the longest due first, up to `limit`, none that the worker has already. */
    claim: async (worker: string, query: { pool: Pool; limit: number }): Promise<ClaimedPartition[]> => {
      const claimed = await this.commits.claim.add({ worker, ...query })
      return claimed.map(({ id, token, fingerprint, encrypted_key, pool, failures, succeeded_at }) => ({
        partitionId: id,
        token,
        partition: nameOf(fingerprint),
        apiKey: this.decrypt(encrypted_key),
        pool,
        failures,
        succeededAt: succeeded_at ?? undefined
      }))
    },

    /** The first events that are not deferred, up to a number of rows and bytes, at least one. @throws LeaseLost */
    head: async (lease: Lease, size: { rows: number; bytes: number }): Promise<QueuePage> => {
      const { events, complete } = assertLease(lease, await this.commits.head.add({ lease, size }))
      return {
        complete,
        events: events.map(({ body, ...event }) => ({ ...event, event: JSON.parse(body) as BridgeEvent }))
      }
    },

    /** What is known of users by their keys (see keys.ts). */
    lookUp: (lease: Lease, keys: string[]): Promise<Known> => this.commits.lookUp.add({ lease, keys }),

    /** What EmailSendX last said about event names. */
    lookUpNames: (lease: Lease, names: string[]) => this.store.lookUpNames(lease, names.map(storable)),

    /** Writes down, before it happens, that an event is fired. @throws LeaseLost when it must not be */
    markFiring: async (lease: Lease, eventId: number): Promise<void> => {
      assertLease(lease, (await this.commits.markFiring.add({ lease, eventId })) || undefined)
    },

    /**
     * Writes down what became of events, all or nothing. May be repeated when nobody knows whether it was done.
     * @returns how many others are back in the queue
     * @throws LeaseLost
     */
    ack: async (lease: Lease, ack: Ack): Promise<{ requeued: number }> => {
      const dead = ack.dead?.map((letter) => ({ ...letter, detail: storable(letter.detail) }))
      const fired = ack.fired?.map((call) => ({ ...call, name: storable(call.name) }))
      return assertLease(lease, await this.commits.ack.add({ lease, ack: { ...ack, dead, fired } }))
    },

    /** Gives the partition back. @returns how many events of an unknown key are gone with it. @throws LeaseLost */
    release: async (lease: Lease, state: ReleaseState): Promise<{ erased: number }> => {
      const suspended = state.suspended && { ...state.suspended, reason: storable(state.suspended.reason) }
      return assertLease(lease, await this.commits.release.add({ lease, state: { ...state, suspended } }))
    },

    /** The clock was set back: every partition is due now. */
    reschedule: (): Promise<void> => this.store.reschedule(),

    /** Calls back when this process has put something into a partition. @returns what ends that. */
    onEnqueue: (listener: () => void): (() => void) => {
      this.listeners.add(listener)
      return () => void this.listeners.delete(listener)
    }
  }

  private announce(): void {
    for (const listener of this.listeners) listener()
  }

  private namesOf(apiKey: string): Pick<PackedRequest, 'fingerprint' | 'encryptedKey'> {
    const known = this.keys.get(apiKey)
    if (known) return known
    const names = {
      fingerprint: this.encryption.fingerprint(apiKey),
      encryptedKey: this.encryption.encrypt(apiKey)
    }
    this.keys.set(apiKey, names)
    return names
  }

  private decrypt(encryptedKey: string): string | undefined {
    try {
      return this.encryption.decrypt(encryptedKey)
    } catch {
      return undefined
    }
  }

  private async bytesKept(): Promise<number> {
    const begun = performance.now()
    if (begun >= this.bytes.countAgainAt) {
      this.bytes.countAgainAt = Infinity
      try {
        this.bytes.kept = await this.store.bytesKept()
      } finally {
        const now = performance.now()
        this.bytes.countAgainAt = now + Math.max(SUM_MAX_AGE_MS, (now - begun) / SUM_TIME_SHARE)
      }
    }
    return this.bytes.kept
  }

  private async forgetOldestLinks(count: number): Promise<number> {
    let left = count
    return untilDone(async () => {
      const forgotten = left > 0 ? await this.store.forgetLinks(this.now(), Math.min(left, CHORE_ROWS)) : 0
      left -= forgotten
      return forgotten
    })
  }

  private conditionOf<Filter extends PartitionFilter>({
    partition,
    apiKey,
    ...rest
  }: Filter): Omit<Filter, keyof PartitionFilter> & Pick<DeadLetterCondition & PartitionCondition, 'fingerprint'> {
    return { ...rest, fingerprint: apiKey === undefined ? partition : this.encryption.fingerprint(apiKey) }
  }
}

export type DeadLetters = Queue['deadLetters']
export type Runs = Queue['runs']

function fullError(limit: 'bytes' | 'age' | 'unproven', maxPartitionBytes: number): QueueFull {
  const messages = {
    bytes: `This API key has ${maxPartitionBytes} bytes of undelivered events.`,
    age: 'This API key has events that could not be delivered for too long.',
    unproven:
      'EmailSendX is being asked whether it knows this API key. Until then only little is taken for it; try again.'
  }
  return new QueueFull('partition', limit, messages[limit], limit === 'unproven' ? 2 : 60)
}

/** A request as the store takes it, in steps that each take a moment. */
function* packed(
  names: Pick<PackedRequest, 'fingerprint' | 'encryptedKey'>,
  request: EnqueueRequest
): Generator<void, PackedRequest> {
  const events: PackedRequest['events'] = []
  for (const event of request.events) {
    events.push({
      messageKey: messageKey(event.messageId, 'event'),
      type: event.type,
      ...written(event.messageId, event)
    })
    yield
  }
  const rejected: PackedRequest['rejected'] = []
  for (const { messageId, reason, item } of request.rejected) {
    rejected.push({
      messageKey: messageKey(messageId, 'rejected'),
      type: 'rejected',
      reason: storable(reason),
      deletes: toBeDeleted(item),
      ...written(messageId, item ?? null)
    })
    yield
  }
  return { ...names, events, rejected, bytes: bytesOf([...events, ...rejected]) }
}

function written(messageId: string, content: unknown): { messageId: string; body: string; bytes: number } {
  const body = JSON.stringify(content)
  return { messageId: storable(messageId), body, bytes: Buffer.byteLength(body) + ROW_BYTES }
}

/** Postgres takes no NUL in a text, and nothing that is no Unicode. (In JSON they are written \u0000 and \ud800.) */
function storable(text: string): string {
  return toUSVString(text.replace(/\0/g, ''))
}

function assertLease<Value>(lease: Lease, result: Value | undefined): Value {
  if (result === undefined) throw new LeaseLost(lease.partitionId)
  return result
}

/** Goes through all rows by their ids. */
async function* pages<Page extends { after?: number }>(read: (after: number) => Promise<Page>): AsyncGenerator<Page> {
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: Page = await read(after)
    yield page
    after = page.after
  }
}

/** Repeats a chore that does a limited number of rows until there are no more. @returns their total */
async function untilDone(chore: () => Promise<number>, progress: Progress = () => undefined): Promise<number> {
  let total = 0
  for (let count = await chore(); count > 0; count = await chore()) {
    total += count
    progress(total)
  }
  return total
}
