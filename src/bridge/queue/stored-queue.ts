import { LRUCache } from 'lru-cache'
import type { BridgeEvent } from '../event'
import type { Engine } from './engine'
import { GroupCommit } from './group-commit'
import { messageKey } from './keys'
import type { DeadFilter, DeadRow, PartitionFilter, PartitionRow, PackedRequest } from './operations'
import type { Result } from './operations'
import { PartitionRefused, LeaseLost, QueueFull } from './queue'
import type {
  Enqueued,
  EnqueueRequest,
  ClaimedPartition,
  DeadLetter,
  DeadLetterFilter,
  DeadLetters,
  DeadReason,
  Partitions,
  PartitionKey,
  QueuePage,
  PartitionStatus,
  Runs,
  Lease,
  ReleaseState,
  Pruned,
  Ack,
  Queue,
  QueueStats
} from './queue'
import type { Encryption } from './encryption'

export interface Limits {
  /** Bytes of all events and dead letters. Over it the store takes nothing. Default 10 GiB. */
  maxBytes: number
  /** Bytes of the undelivered events of one partition. Default 2 GiB. */
  maxPartitionBytes: number
  /** How long the oldest event of a partition may have been stuck; over it the partition takes nothing. Default 7 days. */
  maxAgeMs: number
  /** How long message ids are remembered to tell duplicates. Default 30 days, as long as RudderStack sends again. */
  dedupeMs: number
  /** How long dead letters are kept. Default 90 days. */
  deadLetterMs: number
}

const DAY_MS = 24 * 60 * 60 * 1000
const DEFAULTS: Limits = {
  maxBytes: 10 * 1024 ** 3,
  maxPartitionBytes: 2 * 1024 ** 3,
  maxAgeMs: 7 * DAY_MS,
  dedupeMs: 30 * DAY_MS,
  deadLetterMs: 90 * DAY_MS
}

/** Added to the bytes of an event for its row, keys and indexes. */
const ROW_BYTES = 300
/** A group of requests written in one transaction takes no more. */
const MAX_GROUP_BYTES = 2 * 1024 * 1024
const GROUPS_AT_ONCE = 2
/** How old the count of all bytes may be when a request is measured against it. */
const BYTES_MAX_AGE_MS = 1_000
/** Rows changed in one transaction by housekeeping, so that requests never wait long for it. */
const CHORE_ROWS = 1_000
const LIST_ROWS = 100
/** Digits of a fingerprint that make a partition's short name. */
const NAME_DIGITS = 12

/** The queue over an engine: what is the same whatever the engine, outside of transactions. */
export class StoredQueue implements Queue {
  readonly deadLetters: DeadLetters
  readonly partitions: Partitions
  readonly runs: Runs
  private readonly limits: Limits
  private readonly intake: GroupCommit<PackedRequest, Result<'enqueue'>[number]>
  private readonly listeners = new Set<() => void>()
  /** What a key is stored as, of the keys used lately. */
  private readonly keys = new LRUCache<string, Pick<PackedRequest, 'fingerprint' | 'encryptedKey'>>({ max: 10_000 })
  /** Fingerprints of keys that EmailSendX has accepted. */
  private readonly proven = new LRUCache<string, true>({ max: 100_000 })
  private bytes = { kept: 0, countedAt: -Infinity }

  constructor(
    private readonly engine: Engine,
    private readonly encryption: Encryption,
    private readonly now: () => number,
    limits: Partial<Limits>
  ) {
    this.limits = {
      maxBytes: limits.maxBytes ?? DEFAULTS.maxBytes,
      maxPartitionBytes: limits.maxPartitionBytes ?? DEFAULTS.maxPartitionBytes,
      maxAgeMs: limits.maxAgeMs ?? DEFAULTS.maxAgeMs,
      dedupeMs: limits.dedupeMs ?? DEFAULTS.dedupeMs,
      deadLetterMs: limits.deadLetterMs ?? DEFAULTS.deadLetterMs
    }
    this.intake = new GroupCommit(
      (requests) => engine.run('enqueue', requests, this.limits, this.now()),
      sizeOf,
      MAX_GROUP_BYTES,
      GROUPS_AT_ONCE
    )
    this.deadLetters = this.openDeadLetters()
    this.partitions = this.openPartitions()
    this.runs = this.openRuns()
  }

  async enqueue({ apiKey }: PartitionKey, request: EnqueueRequest): Promise<Enqueued> {
    const packed = this.pack(apiKey, request)
    const size = sizeOf(packed)
    if ((await this.bytesKept()) + size > this.limits.maxBytes) {
      throw new QueueFull('store', 'bytes', `The store holds its limit of ${this.limits.maxBytes} bytes.`)
    }
    this.bytes.kept += size
    const verdict = await this.intake.add(packed)
    if ('refused' in verdict) throw new PartitionRefused(verdict.refused)
    if ('full' in verdict) {
      throw verdict.full === 'bytes'
        ? new QueueFull(
            'partition',
            'bytes',
            `This API key has ${this.limits.maxPartitionBytes} bytes of undelivered events.`
          )
        : new QueueFull('partition', 'age', `This API key has events that could not be delivered for too long.`)
    }
    for (const listener of this.listeners) listener()
    return verdict
  }

  async isProven({ apiKey }: PartitionKey): Promise<boolean> {
    const { fingerprint } = this.lock(apiKey)
    if (this.proven.has(fingerprint)) return true
    const isProven = await this.engine.run('isProven', fingerprint)
    if (isProven) this.proven.set(fingerprint, true)
    return isProven
  }

  async ping(): Promise<void> {
    await this.engine.run('writeProbe', this.now())
  }

  async stats(): Promise<QueueStats> {
    const { events, deferred, bytes, dead, partitions, suspended, oldestAt } = await this.engine.run('totals')
    return {
      events,
      deferred,
      bytes,
      maxBytes: this.limits.maxBytes,
      deadLetters: dead,
      partitions,
      suspendedPartitions: suspended,
      oldestArrivedAt: oldestAt ?? undefined
    }
  }

  async prune(): Promise<Pruned> {
    const now = this.now()
    if (!(await this.engine.run('mayPrune', now)))
      return { messageIds: 0, deadLetters: 0, keyRefused: 0, partitions: 0 }
    const { engine, limits } = this
    return {
      messageIds: await untilDone(() => engine.run('forgetMessages', now - limits.dedupeMs, CHORE_ROWS)),
      deadLetters: await untilDone(() => engine.run('purgeDead', { until: now - limits.deadLetterMs }, CHORE_ROWS)),
      keyRefused: await untilDone(() => engine.run('burySuspended', now - limits.maxAgeMs, CHORE_ROWS, now)),
      partitions: await untilDone(() => engine.run('forgetPartitions', now - limits.dedupeMs, CHORE_ROWS))
    }
  }

  async close(): Promise<void> {
    await this.engine.close()
  }

  private pack(apiKey: string, { events, rejected }: EnqueueRequest): PackedRequest {
    return {
      ...this.lock(apiKey),
      events: events.map((event) => ({
        messageKey: messageKey(event.messageId, 'event'),
        type: event.type,
        ...written(event.messageId, event)
      })),
      rejected: rejected.map(({ messageId, reason, item }) => ({
        messageKey: messageKey(messageId, 'rejected'),
        type: 'rejected',
        reason: storable(reason),
        ...written(messageId, item ?? null)
      }))
    }
  }

  private lock(apiKey: string): Pick<PackedRequest, 'fingerprint' | 'encryptedKey'> {
    const known = this.keys.get(apiKey)
    if (known) return known
    const locked = { fingerprint: this.encryption.fingerprint(apiKey), encryptedKey: this.encryption.encrypt(apiKey) }
    this.keys.set(apiKey, locked)
    return locked
  }

  private async bytesKept(): Promise<number> {
    const now = performance.now()
    if (now - this.bytes.countedAt > BYTES_MAX_AGE_MS) {
      this.bytes.countedAt = now
      this.bytes.kept = await this.engine.run('bytesKept')
    }
    return this.bytes.kept
  }

  private openDeadLetters(): DeadLetters {
    const { engine } = this
    return {
      list: async (filter, { limit = LIST_ROWS, before } = {}) => {
        const found = await engine.run('listDead', { ...this.dead(filter), before }, limit)
        return found.map(toDeadLetter)
      },
      count: (filter) => engine.run('countDead', this.dead(filter)),
      show: async (id) => {
        const found = await engine.run('showDead', id)
        return found && { ...toDeadLetter(found), content: JSON.parse(found.body) }
      },
      retry: async (filter) => {
        const retried = await untilDone(() => engine.run('retryDead', this.dead(filter), CHORE_ROWS, this.now()))
        for (const listener of this.listeners) listener()
        return { retried, kept: await engine.run('countDead', { ...this.dead(filter), isEvent: false }) }
      },
      purge: (filter) => untilDone(() => engine.run('purgeDead', this.dead(filter), CHORE_ROWS))
    }
  }

  private openPartitions(): Partitions {
    return {
      list: async (filter = {}) => {
        const partitions = await this.engine.run('listPartitions', {
          ...this.partition(filter),
          suspended: filter.suspended
        })
        return partitions.map(toPartitionStatus)
      },
      resume: async (filter) => {
        const count = await this.engine.run('resume', this.partition(filter), this.now())
        for (const listener of this.listeners) listener()
        return count
      }
    }
  }

  private openRuns(): Runs {
    const { engine, now } = this
    return {
      heartbeat: (worker, leaseMs) => engine.run('heartbeat', worker, leaseMs),
      deregister: (worker) => engine.run('deregister', worker),
      claim: async (worker, query) => {
        const partitions = await engine.run('claim', worker, query, now())
        return partitions.map(({ fingerprint, encryptedKey, ...partition }): ClaimedPartition => {
          return { ...partition, partition: nameOf(fingerprint), apiKey: this.decrypt(encryptedKey) }
        })
      },
      head: async (lease, size): Promise<QueuePage> => {
        const { events, complete } = assertLease(lease, await engine.run('head', lease, size, now()))
        return {
          complete,
          events: events.map(({ body, ...event }) => ({ ...event, event: JSON.parse(body) as BridgeEvent }))
        }
      },
      lookUp: async ({ partitionId }, keys) => {
        const { emails, blocked } = await engine.run('lookUp', partitionId, keys)
        return { emails: new Map(emails), blocked }
      },
      markFiring: async (lease, eventId) => {
        assertLease(lease, (await engine.run('markFiring', lease, eventId)) || undefined)
      },
      ack: async (lease, ack) => assertLease(lease, await engine.run('ack', lease, storableDetails(ack), now())),
      release: async (lease, state) => {
        assertLease(lease, (await engine.run('release', lease, storableReason(state), now())) || undefined)
      },
      reschedule: () => engine.run('reschedule', now()),
      onEnqueue: (listener) => {
        this.listeners.add(listener)
        return () => this.listeners.delete(listener)
      }
    }
  }

  private decrypt(encryptedKey: string): string | undefined {
    try {
      return this.encryption.decrypt(encryptedKey)
    } catch {
      return undefined
    }
  }

  private partition({ partition, apiKey }: { partition?: string; apiKey?: string }): PartitionFilter {
    return { fingerprint: apiKey === undefined ? partition : this.encryption.fingerprint(apiKey) }
  }

  private dead({ ids, reason, type, messageId, since, until, ...partition }: DeadLetterFilter): DeadFilter {
    return { ids, reason, type, messageId, since, until, ...this.partition(partition) }
  }
}

function assertLease<Value>(lease: Lease, result: Value | undefined): Value {
  if (result === undefined) throw new LeaseLost(lease.partitionId)
  return result
}

function written(messageId: string, content: unknown): { messageId: string; body: string; bytes: number } {
  const body = JSON.stringify(content)
  return { messageId: storable(messageId), body, bytes: Buffer.byteLength(body) + ROW_BYTES }
}

/** Postgres takes no NUL in a text. (In JSON it is written \u0000.) */
function storable(text: string): string {
  return text.replace(/\0/g, '')
}

function storableDetails({ dead, ...ack }: Ack): Ack {
  return { ...ack, dead: dead?.map((letter) => ({ ...letter, detail: storable(letter.detail) })) }
}

function storableReason({ suspended, ...state }: ReleaseState): ReleaseState {
  return { ...state, suspended: suspended && { ...suspended, reason: storable(suspended.reason) } }
}

function sizeOf({ events, rejected }: PackedRequest): number {
  return [...events, ...rejected].reduce((total, { bytes }) => total + bytes, 0)
}

function nameOf(fingerprint: string): string {
  return fingerprint.slice(0, NAME_DIGITS)
}

function toDeadLetter(row: DeadRow): DeadLetter {
  return {
    id: row.id,
    partition: nameOf(row.fingerprint),
    messageId: row.message_id,
    type: row.type as DeadLetter['type'],
    reason: row.reason as DeadReason,
    detail: row.detail,
    attempts: row.attempts,
    arrivedAt: row.arrived_at,
    firstFailedAt: row.first_failed_at ?? undefined,
    diedAt: row.died_at,
    bytes: row.bytes
  }
}

function toPartitionStatus(row: PartitionRow): PartitionStatus {
  return {
    partition: nameOf(row.fingerprint),
    events: row.events,
    deferred: row.deferred,
    bytes: row.bytes,
    deadLetters: row.dead,
    oldestArrivedAt: row.oldest_at ?? undefined,
    proven: row.succeeded_at !== null,
    suspended:
      row.suspended_at === null
        ? undefined
        : { since: row.suspended_at, reason: row.suspended_reason ?? '', nextTryAt: row.paused_until }
  }
}

/** Repeats a chore that does a limited number of rows until there are no more. @returns their total */
async function untilDone(chore: () => Promise<number>): Promise<number> {
  let total = 0
  for (let count = await chore(); count > 0; count = await chore()) total += count
  return total
}
