import { insert, insertNew, marks, rows, write } from '../operation'
import type { Operation, Param, Row } from '../operation'
import type { Dialect } from '../schema'
import { dueAfter } from './due'

/** One request as it goes to the store. */
export interface PackedRequest {
  fingerprint: string
  encryptedKey: string
  events: Item[]
  rejected: RejectedItem[]
}

export interface RejectedItem extends Item {
  reason: string
}

export interface Item {
  /** What duplicates are known by. */
  messageKey: string
  messageId: string
  type: string
  body: string
  bytes: number
}

export interface PartitionLimits {
  maxPartitionBytes: number
  /** A partition whose oldest event has waited for longer takes no more. */
  maxAgeMs: number
}

export type Verdict =
  | { accepted: number; duplicates: number }
  | { full: 'bytes' | 'age' }
  /** EmailSendX answered 401 to this key and never anything better. */
  | { refused: string }

interface Partition extends Row {
  id: number
  fingerprint: string
  due_at: number | null
  paused_until: number
  suspended_at: number | null
  suspended_status: number | null
  suspended_reason: string | null
  succeeded_at: number | null
  tried_at: number
  oldest_at: number | null
  events: number
  bytes: number
}

/** A suspended partition may be tried again when a request comes in for it, but not more often than this. */
const RETRY_SUSPENDED_MS = 60_000

/** Takes the requests of one group, each wholly or not at all. */
export function* enqueue(
  dialect: Dialect,
  requests: PackedRequest[],
  limits: PartitionLimits,
  now: number
): Operation<Verdict[]> {
  const partitions = yield* lockPartitions(dialect, requests, now)
  const taken = new Map<Partition, Taken>()
  for (const partition of partitions.values())
    taken.set(partition, { events: [], rejected: [], bytes: partition.bytes })

  const refusals = requests.map((request) => {
    const partition = partitions.get(request.fingerprint) as Partition
    const load = taken.get(partition) as Taken
    const bytes = sum([...request.events, ...request.rejected].map((item) => item.bytes))
    const refusal = refusalOf(partition, load.bytes + bytes, limits, now)
    if (!refusal) load.bytes += bytes
    return refusal
  })
  const admitted = requests.filter((_, index) => !refusals[index])

  const isNew = yield* noteMessages(admitted, partitions, now)
  const verdicts = requests.map((request, index): Verdict => {
    const refusal = refusals[index]
    if (refusal) return refusal
    const load = taken.get(partitions.get(request.fingerprint) as Partition) as Taken
    const fresh = request.events.filter(isNew)
    load.events.push(...fresh)
    load.rejected.push(...request.rejected.filter(isNew))
    return { accepted: fresh.length, duplicates: request.events.length - fresh.length }
  })

  yield* insert(
    'events',
    ['partition_id', 'message_id', 'type', 'bytes', 'arrived_at', 'body'],
    [...taken].flatMap(([partition, { events }]) =>
      events.map((item) => [partition.id, item.messageId, item.type, item.bytes, now, item.body])
    )
  )
  yield* insert(
    'dead_letters',
    ['partition_id', 'message_id', 'type', 'bytes', 'arrived_at', 'attempts', 'died_at', 'reason', 'detail', 'body'],
    [...taken].flatMap(([partition, { rejected }]) =>
      rejected.map((item) => [
        partition.id,
        item.messageId,
        item.type,
        item.bytes,
        now,
        0,
        now,
        'rejected',
        item.reason,
        item.body
      ])
    )
  )
  for (const [partition, load] of taken) yield* noteLoad(partition, load, now)
  return verdicts
}

interface Taken {
  events: Item[]
  rejected: RejectedItem[]
  /** Of the partition, were everything admitted so far new. */
  bytes: number
}

/** The partitions of the requests, made where new, and locked: so the ids in a partition are in the order of the commits. */
function* lockPartitions(dialect: Dialect, requests: PackedRequest[], now: number): Operation<Map<string, Partition>> {
  const keys = new Map(requests.map(({ fingerprint, encryptedKey }) => [fingerprint, encryptedKey]))
  const fingerprints = [...keys.keys()].sort()
  const select = `SELECT id, fingerprint, due_at, paused_until, suspended_at, suspended_status, suspended_reason, succeeded_at, tried_at,
    oldest_at, events, bytes FROM partitions WHERE fingerprint IN (${marks(fingerprints)}) ORDER BY id ${dialect.lock}`

  let partitions = yield* rows<Partition>(select, ...fingerprints)
  if (partitions.length < fingerprints.length) {
    const known = new Set(partitions.map((partition) => partition.fingerprint))
    const fresh = fingerprints.filter((fingerprint) => !known.has(fingerprint))
    yield* insertNew(
      'partitions',
      ['fingerprint', 'encrypted_key', 'created_at'],
      fresh.map((fingerprint) => [fingerprint, keys.get(fingerprint) as string, now]),
      ['fingerprint']
    )
    partitions = yield* rows<Partition>(select, ...fingerprints)
  }
  return new Map(partitions.map((partition) => [partition.fingerprint, partition]))
}

function refusalOf(partition: Partition, bytes: number, limits: PartitionLimits, now: number): Verdict | undefined {
  // An empty partition is taken into even with a refused key: its first event is what the key is tried with.
  if (partition.suspended_status === 401 && partition.succeeded_at === null && partition.events > 0)
    return { refused: partition.suspended_reason ?? '' }
  if (bytes > limits.maxPartitionBytes) return { full: 'bytes' }
  if (partition.oldest_at !== null && now - partition.oldest_at > limits.maxAgeMs) return { full: 'age' }
  return undefined
}

/** Writes down the message ids. The result tells of an item whether its partition had not had it before. */
function* noteMessages(
  requests: PackedRequest[],
  partitions: Map<string, Partition>,
  now: number
): Operation<(item: Item) => boolean> {
  const items: Item[] = []
  const values: Param[][] = []
  for (const { fingerprint, events, rejected } of requests) {
    const { id } = partitions.get(fingerprint) as Partition
    for (const item of [...events, ...rejected]) {
      items.push(item)
      values.push([id, item.messageKey, now])
    }
  }
  const indexes = yield* insertNew('message_ids', ['partition_id', 'key', 'noted_at'], values, ['partition_id', 'key'])
  const fresh = new Set([...indexes].map((index) => items[index]))
  return (item) => fresh.has(item)
}

function* noteLoad(partition: Partition, { events, rejected }: Taken, now: number): Operation<void> {
  const trySuspended = partition.suspended_at !== null && Math.abs(now - partition.tried_at) >= RETRY_SUSPENDED_MS
  if (events.length === 0 && rejected.length === 0 && !(trySuspended && partition.events > 0)) return

  const pausedUntil = trySuspended ? now : partition.paused_until
  const due = events.length > 0 || trySuspended ? dueAfter(pausedUntil, now) : null
  yield* write(
    `UPDATE partitions SET events = events + ?, bytes = bytes + ?, dead = dead + ?, dead_bytes = dead_bytes + ?,
      paused_until = ?, due_at = ?, oldest_at = ? WHERE id = ?`,
    events.length,
    sum(events.map((item) => item.bytes)),
    rejected.length,
    sum(rejected.map((item) => item.bytes)),
    pausedUntil,
    earliest(partition.due_at, due),
    partition.oldest_at ?? (events.length > 0 ? now : null),
    partition.id
  )
}

function earliest(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other
  return Math.min(one, other)
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
