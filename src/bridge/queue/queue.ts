import { LRUCache } from 'lru-cache'
import { atOnce, Slices } from '../slices'
import { CHORE_ROWS, pages, SCAN_ROWS, untilDone } from './chores'
import type { Driver, Store } from './drivers/driver'
import type { Encryption } from './encryption'
import { PartitionRefused, QueueFull } from './errors'
import { conditionOf, deadLettersOf, partitionsOf } from './operators'
import type { DeadLetters, Partitions } from './operators'
import { packed } from './packing'
import { toPerson } from './person'
import type { Person, PersonFilter } from './person'
import { runsOf } from './runs'
import type { Runs } from './runs'
import { sharedCommits } from './shared-commits'
import type { SharedCommits } from './shared-commits'
import type { PackedRequest } from './transactions/enqueue'
import type { DeleteRequest, Trace } from './transactions/people'
import type { Enqueued, EnqueueRequest, PartitionFilter, PartitionKey, Pruned, QueueStats } from './types'

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
  maxBytes: 10e9,
  maxPartitionBytes: 2e9,
  maxAgeMs: 7 * DAY_MS,
  dedupeMs: 30 * DAY_MS,
  maxRemembered: 100_000_000,
  deadLetterMs: 90 * DAY_MS,
  forgetAfterMs: 400 * DAY_MS
}

/** Items of a request that are made into rows without a pause. */
const MAX_PACKED_AT_ONCE = 16
/** The share of the store that keys have which EmailSendX has not accepted yet, all of them together. */
const UNPROVEN_SHARE = 1 / 50
/** How old the sum of all bytes may be; and as part of the time, how much may be spent on it: it is a look at all partitions. */
const SUM_MAX_AGE_MS = 1_000
const SUM_TIME_SHARE = 1 / 100
/** How long a refused key is remembered for an immediate answer. */
const REFUSED_MS = 20_000

/**
 * The durable queue between ingest and delivery. Everything that was acknowledged is in here until it is delivered or a dead
 * letter. Two drivers keep the same promises: a SQLite file, and Postgres for several machines. All methods throw
 * QueueUnavailable when the store can't be used.
 */
export class Queue {
  readonly deadLetters: DeadLetters
  readonly partitions: Partitions
  readonly runs: Runs

  private readonly commits: SharedCommits
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
    const announce = () => this.announce()
    this.deadLetters = deadLettersOf(store, encryption, announce)
    this.partitions = partitionsOf(store, encryption, announce)
    this.runs = runsOf(store, this.commits, encryption, this.listeners)
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
    const { fingerprint } = conditionOf(this.encryption, filter)
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
}

function fullError(limit: 'bytes' | 'age' | 'unproven', maxPartitionBytes: number): QueueFull {
  const messages = {
    bytes: `This API key has ${maxPartitionBytes} bytes of undelivered events.`,
    age: 'This API key has events that could not be delivered for too long.',
    unproven:
      'EmailSendX is being asked whether it knows this API key. Until then only little is taken for it; try again.'
  }
  return new QueueFull('partition', limit, messages[limit], limit === 'unproven' ? 2 : 60)
}
