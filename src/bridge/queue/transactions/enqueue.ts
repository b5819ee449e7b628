import type { Person } from '../person'
import { rememberMessages } from './message-ids'
import { add, dueAfter, lockPartitions, save } from './partitions'
import type { Partition } from './partitions'
import { bytesOf, insert, insertNew, marks, row, write } from './sql'
import type { Context, Transaction } from './sql'

/** One request as it goes to the store. */
export interface PackedRequest {
  fingerprint: string
  encryptedKey: string
  events: PackedItem[]
  rejected: PackedRejectedItem[]
  bytes: number
}

export interface PackedRejectedItem extends PackedItem {
  reason: string
  /** Whom it asks to delete. */
  deletes?: Person
}

export interface PackedItem {
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
  /** Bytes that all partitions of unproven keys may have together. */
  maxUnprovenBytes: number
}

export type EnqueueResult =
  | { accepted: number; duplicates: number }
  | { full: 'bytes' | 'age' | 'unproven' }
  /** EmailSendX answered 401 to this key and never anything better. */
  | { refused: string }

/** A suspended partition may be tried again when a request comes in for it, but not more often than this. */
const RETRY_SUSPENDED_MS = 60_000

/*
 * Anybody can invent a key. Until EmailSendX has accepted one, it gets enough for the first events of a customer who has
 * just set it up. Asking EmailSendX takes a moment; whoever sends more until then is told to try again. There are as many
 * partitions as can be asked about, twice each, and forgotten within a minute.
 */
const MAX_UNPROVEN_ITEMS = 1_000
const MAX_UNPROVEN_BYTES = 2 * 1024 * 1024
const MAX_UNPROVEN_PARTITIONS = 200

interface Taken {
  events: PackedItem[]
  rejected: PackedRejectedItem[]
  /** Items and bytes of the partition, were everything admitted so far new. */
  items: number
  bytes: number
}

/** Takes the requests of one group, each wholly or not at all. */
function* enqueue(context: Context, requests: PackedRequest[], limits: PartitionLimits): Transaction<EnqueueResult[]> {
  const { now } = context
  const partitions = yield* openPartitions(context, requests)
  const taken = new Map<Partition, Taken>()
  for (const partition of partitions.values()) {
    const { events, dead, bytes } = partition
    taken.set(partition, { events: [], rejected: [], items: events + dead, bytes })
  }
  const hasUnproven = [...taken.keys()].some(isUnproven)
  let unprovenBytes = hasUnproven ? yield* bytesOfUnproven() : 0

  const refusals = requests.map((request) => {
    const partition = partitions.get(request.fingerprint)
    if (!partition) return UNPROVEN
    const load = taken.get(partition) as Taken
    const items = load.items + request.events.length + request.rejected.length
    const bytes = load.bytes + request.bytes
    const refusal =
      refusalOf(partition, bytes, limits, now) ??
      (isUnproven(partition) &&
      (items > MAX_UNPROVEN_ITEMS ||
        bytes + partition.dead_bytes > MAX_UNPROVEN_BYTES ||
        unprovenBytes + request.bytes > limits.maxUnprovenBytes)
        ? UNPROVEN
        : undefined)
    if (refusal) return refusal
    if (isUnproven(partition)) unprovenBytes += request.bytes
    Object.assign(load, { items, bytes })
    return undefined
  })
  const admitted = requests.filter((_, index) => !refusals[index])

  const isNew = yield* remember(admitted, partitions)
  const results = requests.map((request, index): EnqueueResult => {
    const refusal = refusals[index]
    if (refusal) return refusal
    const load = taken.get(partitions.get(request.fingerprint) as Partition) as Taken
    const fresh = request.events.filter(isNew)
    load.events.push(...fresh)
    load.rejected.push(...request.rejected.filter(isNew))
    return { accepted: fresh.length, duplicates: request.events.length - fresh.length }
  })

  yield* insertEvents(taken, now)
  yield* insertRejected(taken, now)
  yield* disown(taken)
  const changed: Partition[] = []
  for (const [partition, load] of taken) if (settle(partition, load, now)) changed.push(partition)
  yield* save(changed, ['last_event_id', 'paused_until', 'due_at', 'oldest_at'])
  return results
}

const UNPROVEN: EnqueueResult = { full: 'unproven' }

/** The partitions of the requests, made where new, and locked: so the events of one are in the order of the commits. */
function* openPartitions(context: Context, requests: PackedRequest[]): Transaction<Map<string, Partition>> {
  const keys = new Map(requests.map(({ fingerprint, encryptedKey }) => [fingerprint, encryptedKey]))
  const fingerprints = [...keys.keys()].sort()
  const where = `fingerprint IN (${marks(fingerprints)})`
  let partitions = yield* lockPartitions(context, where, ...fingerprints)
  if (partitions.length < fingerprints.length) {
    const known = new Set(partitions.map((partition) => partition.fingerprint))
    const unproven = yield* row<{ count: number }>(`SELECT COUNT(*) AS count FROM partitions WHERE pool = 'unproven'`)
    const fresh = fingerprints
      .filter((fingerprint) => !known.has(fingerprint))
      .slice(0, Math.max(0, MAX_UNPROVEN_PARTITIONS - (unproven?.count ?? 0)))
    yield* insertNew(
      'partitions',
      ['fingerprint', 'encrypted_key', 'created_at', 'due_at'],
      fresh.map((fingerprint) => [fingerprint, keys.get(fingerprint) as string, context.now, context.now]),
      ['fingerprint']
    )
    partitions = yield* lockPartitions(context, where, ...fingerprints)
  }
  return new Map(partitions.map((partition) => [partition.fingerprint, partition]))
}

function isUnproven({ pool }: Partition): boolean {
  return pool === 'unproven'
}

function* bytesOfUnproven(): Transaction<number> {
  const all = yield* row<{ bytes: number | null }>(
    `SELECT CAST(SUM(bytes + dead_bytes) AS BIGINT) AS bytes FROM partitions WHERE pool = 'unproven'`
  )
  return all?.bytes ?? 0
}

function refusalOf(
  partition: Partition,
  bytes: number,
  limits: PartitionLimits,
  now: number
): EnqueueResult | undefined {
  if (isUnproven(partition) && partition.suspended_status === 401) return { refused: partition.suspended_reason ?? '' }
  if (bytes > limits.maxPartitionBytes) return { full: 'bytes' }
  if (partition.oldest_at !== null && now - partition.oldest_at > limits.maxAgeMs) return { full: 'age' }
  return undefined
}

/** Writes down the message ids. The result tells of an item whether its partition had not had it before. */
function* remember(
  requests: PackedRequest[],
  partitions: Map<string, Partition>
): Transaction<(item: PackedItem) => boolean> {
  const items: PackedItem[] = []
  const ids: [number, string][] = []
  for (const { fingerprint, events, rejected } of requests) {
    const { id } = partitions.get(fingerprint) as Partition
    for (const item of [...events, ...rejected]) {
      items.push(item)
      ids.push([id, item.messageKey])
    }
  }
  const fresh = new Set([...(yield* rememberMessages(ids))].map((index) => items[index]))
  return (item) => fresh.has(item)
}

function* insertEvents(taken: Map<Partition, Taken>, now: number): Transaction<void> {
  yield* insert(
    'events',
    ['partition_id', 'id', 'message_id', 'type', 'bytes', 'arrived_at', 'body'],
    [...taken].flatMap(([{ id, last_event_id }, { events }]) =>
      events.map((item, index) => [
        id,
        last_event_id + 1 + index,
        item.messageId,
        item.type,
        item.bytes,
        now,
        item.body
      ])
    )
  )
}

function* insertRejected(taken: Map<Partition, Taken>, now: number): Transaction<void> {
  yield* insert(
    'dead_letters',
    ['partition_id', 'message_id', 'type', 'bytes', 'arrived_at', 'attempts', 'died_at', 'reason', 'detail', 'body'],
    [...taken].flatMap(([{ id }, { rejected }]) =>
      rejected.map((item) => [
        id,
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
}

/**
 * Lets the ids of those who are to be deleted stand for nobody: whoever uses one from now on is somebody new. What they
 * stood for is kept until the request is carried out, which needs it to find what is theirs.
 */
function* disown(taken: Map<Partition, Taken>): Transaction<void> {
  for (const [{ id }, { rejected }] of taken) {
    for (const { deletes } of rejected) {
      if (!deletes) continue
      yield* write(
        `UPDATE identity_links SET seen_at = -1 WHERE partition_id = ? AND (email IN (${marks(['', ...deletes.emails])})
          OR email IN (SELECT email FROM identity_links WHERE partition_id = ? AND key IN (${marks(deletes.keys)})))`,
        id,
        ...['', ...deletes.emails, id, ...deletes.keys]
      )
    }
  }
}

/** Makes a partition what it is with what was taken. @returns whether that changes anything */
function settle(partition: Partition, { events, rejected }: Taken, now: number): boolean {
  const tryAgain = partition.suspended_at !== null && Math.abs(now - partition.tried_at) >= RETRY_SUSPENDED_MS
  if (events.length + rejected.length === 0 && !(tryAgain && partition.events > 0)) return false
  const hasWork = events.length > 0 || tryAgain || isUnproven(partition)
  if (tryAgain) partition.paused_until = now
  if (hasWork && !partition.paused) {
    partition.due_at = Math.min(partition.due_at ?? Infinity, dueAfter(partition.paused_until, now))
  }
  if (events.length > 0) partition.oldest_at ??= now
  partition.last_event_id += events.length
  add(partition, {
    events: events.length,
    bytes: bytesOf(events),
    dead: rejected.length,
    dead_bytes: bytesOf(rejected),
    message_ids: events.length + rejected.length
  })
  return true
}

/** Whether EmailSendX has accepted the key at least once, or never and does not know it. */
function* isProven(_context: Context, fingerprint: string): Transaction<boolean | { refused: string }> {
  const known = yield* row<Pick<Partition, 'succeeded_at' | 'suspended_status' | 'suspended_reason'>>(
    'SELECT succeeded_at, suspended_status, suspended_reason FROM partitions WHERE fingerprint = ?',
    fingerprint
  )
  if (known?.succeeded_at == null && known?.suspended_status === 401) return { refused: known.suspended_reason ?? '' }
  return known?.succeeded_at != null
}

export const transactions = { enqueue, isProven }
