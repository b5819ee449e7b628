import type { BridgeEvent } from '../../event'
import type { DeferReason, EventNameReport, Lease, PartitionStatus, Pool, ReleaseState, WaitingEvent } from '../types'
import { MESSAGE_ID_TABLES } from './message-ids'
import { bytesOf, given, marks, row, rows, updateEach, write } from './sql'
import type { Context, Param, Row, Transaction } from './sql'

/**
 * No partition is left alone for longer than this, whatever was asked of it. A time further away than that can only come
 * from a clock that has since been set back, and counts as now.
 */
const MAX_PAUSE_MS = 60 * 60 * 1000

/** No worker's word on how long it lives is believed beyond this: its clock may have been wrong. */
const MAX_LEASE_MS = 60_000

/** Digits of a fingerprint that make a partition's short name. */
const NAME_DIGITS = 12

/** A row of `partitions`. */
export interface Partition extends Row {
  id: number
  fingerprint: string
  encrypted_key: string
  pool: Pool
  due_at: number | null
  paused: number
  paused_until: number
  failures: number
  token: number
  /** Last time a call came to something, ms since 1970; null: never, and nobody knows whether the key is one. */
  succeeded_at: number | null
  suspended_at: number | null
  suspended_status: number | null
  suspended_reason: string | null
  tried_at: number
  oldest_at: number | null
  last_event_id: number
  /** Noted since the partition was made, also those that are forgotten by now. */
  message_ids: number
  links: number
  events: number
  bytes: number
  delivered: number
  dead: number
  dead_bytes: number
}

const COLUMNS = `id, fingerprint, encrypted_key, pool, due_at, paused, paused_until, failures, token, succeeded_at,
  suspended_at, suspended_status, suspended_reason, tried_at, oldest_at, last_event_id, message_ids, links, events, bytes, delivered, dead, dead_bytes`

/** What is kept with a partition in numbers, so that nobody has to count rows. */
const COUNTS = ['events', 'bytes', 'delivered', 'dead', 'dead_bytes', 'message_ids', 'links'] as const
export type Counts = Pick<Partition, (typeof COUNTS)[number]>

/** Adds to the counts of a locked partition, to be saved. */
export function add(partition: Partition, by: Partial<Counts>): void {
  for (const name of COUNTS) partition[name] += by[name] ?? 0
}

/** Writes down the counts of locked partitions, and other columns of theirs, as they have become. */
export function* save(
  partitions: Iterable<Partition>,
  others: ('last_event_id' | 'oldest_at' | 'paused_until' | 'due_at')[] = []
): Transaction<void> {
  const columns = ['id', ...COUNTS, ...others] as const
  yield* updateEach(
    'partitions',
    [...columns],
    Array.from(partitions, (partition) => columns.map((column) => partition[column]))
  )
}

/** Selects partitions, and locks them for the transaction, always in the order of their ids. */
export function* lockPartitions({ dialect }: Context, where: string, ...params: Param[]): Transaction<Partition[]> {
  return yield* rows<Partition>(
    `SELECT ${COLUMNS} FROM partitions WHERE ${where} ORDER BY id ${dialect.lock}`,
    ...params
  )
}

/** What is asked for a leased partition. */
interface Asked {
  lease: Lease
}

/** The partition of each lease. Undefined: somebody else has it now. */
export function* findLeased(asked: Asked[]): Transaction<(Partition | undefined)[]> {
  const { where, ids } = leased(asked)
  return held(asked, yield* rows<Partition>(`SELECT ${COLUMNS} FROM partitions WHERE ${where}`, ...ids))
}

/** Locks the partition of each lease. Undefined: somebody else has it now, and nothing may be written. */
export function* lockLeased(context: Context, asked: Asked[]): Transaction<(Partition | undefined)[]> {
  const { where, ids } = leased(asked)
  return held(asked, yield* lockPartitions(context, where, ...ids))
}

/** What is asked for those whose lease is not lost, with their partition. */
export function withPartition<One extends Asked>(
  asked: One[],
  partitions: (Partition | undefined)[]
): (One & { partition: Partition })[] {
  return asked.flatMap((one, index) => {
    const partition = partitions[index]
    return partition ? [{ ...one, partition }] : []
  })
}

function leased(asked: Asked[]): { where: string; ids: number[] } {
  const ids = [...new Set(asked.map(({ lease }) => lease.partitionId))]
  return { where: `id IN (${marks(ids)}) AND worker IS NOT NULL`, ids }
}

function held(asked: Asked[], found: Partition[]): (Partition | undefined)[] {
  const byId = new Map(found.map((partition) => [partition.id, partition]))
  return asked.map(({ lease: { partitionId, token } }) => {
    const partition = byId.get(partitionId)
    return partition?.token === token ? partition : undefined
  })
}

/** When a partition with something to do is due, given how long it was asked to pause. All times in ms since 1970. */
export function dueAfter(pausedUntil: number, now: number): number {
  return pausedUntil > now && pausedUntil <= now + MAX_PAUSE_MS ? pausedUntil : now
}

/** What logs and people call a partition. */
export function nameOf(fingerprint: string): string {
  return fingerprint.slice(0, NAME_DIGITS)
}

/** Says that the worker lives. Its partitions are its own until `leaseMs` from now without another word. */
function* heartbeat({ dialect }: Context, worker: string, leaseMs: number): Transaction<void> {
  yield* write(
    `INSERT INTO workers (id, alive_until) VALUES (?, ${dialect.clock} + ?)
      ON CONFLICT (id) DO UPDATE SET alive_until = excluded.alive_until`,
    worker,
    Math.min(leaseMs, MAX_LEASE_MS)
  )
  yield* write(`DELETE FROM workers WHERE alive_until < ${dialect.clock} - ?`, 24 * 60 * 60 * 1000)
}

/** How many workers live. */
export function* livingWorkers({ dialect }: Context): Transaction<number> {
  const living = yield* row<{ count: number }>(
    `SELECT COUNT(*) AS count FROM workers
      WHERE alive_until > ${dialect.clock} AND alive_until <= ${dialect.clock} + ${MAX_LEASE_MS}`
  )
  return living?.count ?? 0
}

/** The worker is gone for good. What it was working on is free at once. */
function* deregister(_context: Context, worker: string): Transaction<void> {
  yield* write('DELETE FROM workers WHERE id = ?', worker)
}

type ClaimedRow = Pick<
  Partition,
  'id' | 'fingerprint' | 'token' | 'encrypted_key' | 'pool' | 'failures' | 'succeeded_at'
>

/** Frees what has the worker's name on it without being worked on: it was claimed, and the worker never heard of it. */
function* letGo(_context: Context, worker: string, workedOn: number[]): Transaction<void> {
  const others = workedOn.length > 0 ? `AND id NOT IN (${marks(workedOn)})` : ''
  yield* write(`UPDATE partitions SET worker = NULL WHERE worker = ? ${others}`, worker, ...workedOn)
}

/** Takes up to `limit` partitions of each pool that are due and nobody living works on, the longest due first. */
function* claim(context: Context, asked: { worker: string; pool: Pool; limit: number }[]): Transaction<ClaimedRow[][]> {
  const claimed: ClaimedRow[][] = []
  for (const { worker, pool, limit } of asked) claimed.push(yield* claimFrom(context, worker, pool, limit))
  return claimed
}

function* claimFrom({ dialect, now }: Context, worker: string, pool: Pool, limit: number): Transaction<ClaimedRow[]> {
  const found = yield* rows<ClaimedRow>(
    `SELECT id, fingerprint, token, encrypted_key, pool, failures, succeeded_at FROM partitions
      WHERE pool = ? AND due_at <= ? AND (worker IS NULL OR (worker <> ? AND NOT EXISTS (
        SELECT 1 FROM workers WHERE workers.id = partitions.worker
          AND alive_until > ${dialect.clock} AND alive_until <= ${dialect.clock} + ${MAX_LEASE_MS})))
      ORDER BY due_at LIMIT ? ${dialect.lockFree}`,
    pool,
    now,
    worker,
    limit
  )
  if (found.length === 0) return []
  yield* write(
    `UPDATE partitions SET worker = ?, token = token + 1 WHERE id IN (${marks(found)})`,
    worker,
    ...found.map(({ id }) => id)
  )
  return found.map((partition) => ({ ...partition, token: partition.token + 1 }))
}

/**
 * Gives partitions back, to be due again when there is something to do and the pause is over. A key that EmailSendX has
 * never accepted and does not know loses everything.
 * @returns how many events and dead letters are lost; undefined: lease lost.
 */
function* release(
  context: Context,
  asked: { lease: Lease; state: ReleaseState }[]
): Transaction<({ erased: number } | undefined)[]> {
  const partitions = yield* lockLeased(context, asked)
  const released = withPartition(asked, partitions)
  for (const { partition, state } of released) if (isUnknown(partition, state)) yield* erase(partition.id)
  if (released.length === 0) return asked.map(() => undefined)
  const ids = released.map(({ partition }) => partition.id)
  const waiting = yield* rows<{ id: number } & Waiting>(
    `SELECT id, (SELECT arrived_at FROM events
        WHERE partition_id = partitions.id AND deferred_until IS NULL ORDER BY events.id LIMIT 1) AS oldest_at,
      (SELECT MIN(deferred_until) FROM events
        WHERE partition_id = partitions.id AND deferred_until IS NOT NULL) AS ripe_at
      FROM partitions WHERE id IN (${marks(ids)})`,
    ...ids
  )
  const waitingIn = new Map(waiting.map((row) => [row.id, row]))
  yield* write(
    `UPDATE partitions SET worker = NULL, ${Object.keys(LEFT)
      .map((column) => `${column} = given.${column}`)
      .join(', ')} FROM ${context.dialect.given({ id: 'BIGINT', ...LEFT })} AS given WHERE partitions.id = given.id`,
    given(
      released.map(({ partition, state }) => {
        const left = leftLike(partition, state, waitingIn.get(partition.id) as Waiting, context.now)
        return [partition.id, ...Object.keys(LEFT).map((column) => left[column as keyof typeof LEFT])]
      })
    )
  )
  return asked.map(({ state }, index) => {
    const partition = partitions[index]
    return partition && { erased: isUnknown(partition, state) ? partition.events + partition.dead : 0 }
  })
}

/** The columns of a partition that a run changes. */
const LEFT = {
  pool: 'TEXT',
  due_at: 'BIGINT',
  paused_until: 'BIGINT',
  failures: 'BIGINT',
  oldest_at: 'BIGINT',
  succeeded_at: 'BIGINT',
  tried_at: 'BIGINT',
  suspended_at: 'BIGINT',
  suspended_status: 'BIGINT',
  suspended_reason: 'TEXT',
  events: 'BIGINT',
  bytes: 'BIGINT',
  dead: 'BIGINT',
  dead_bytes: 'BIGINT',
  message_ids: 'BIGINT',
  links: 'BIGINT'
} as const

interface Waiting extends Row {
  /** Arrival of the first event that is not deferred. */
  oldest_at: number | null
  /** When the first deferred event is to be tried. */
  ripe_at: number | null
}

/** EmailSendX has never accepted the key of the partition, and does not know it. */
function isUnknown({ succeeded_at }: Partition, { suspended, succeeded }: ReleaseState): boolean {
  return suspended?.status === 401 && !succeeded && succeeded_at === null
}

/** What a partition is like after a run. */
function leftLike(
  partition: Partition,
  state: ReleaseState,
  { oldest_at, ripe_at }: Waiting,
  now: number
): Pick<Partition, keyof typeof LEFT> {
  const { suspended, succeeded } = state
  const succeededAt = succeeded ? now : partition.succeeded_at
  const isLost = isUnknown(partition, state)
  const pausedUntil = Math.min(state.pausedUntil, now + MAX_PAUSE_MS)
  return {
    ...partition,
    pool: succeededAt === null ? 'unproven' : state.slow ? 'slow' : 'normal',
    due_at: dueAt(),
    paused_until: pausedUntil,
    failures: state.failures,
    oldest_at,
    succeeded_at: succeededAt,
    tried_at: state.tried ? now : partition.tried_at,
    ...(suspended
      ? {
          suspended_at: partition.suspended_at ?? now,
          suspended_status: suspended.status,
          suspended_reason: suspended.reason
        }
      : succeeded && { suspended_at: null, suspended_status: null, suspended_reason: null }),
    ...(isLost && { events: 0, bytes: 0, dead: 0, dead_bytes: 0, message_ids: 0, links: 0 })
  }

  function dueAt(): number | null {
    if (partition.paused) return null
    const isToBeProven = succeededAt === null && !isLost
    if (oldest_at !== null || isToBeProven) return dueAfter(pausedUntil, now)
    if (ripe_at === null) return null
    return Math.max(dueAfter(pausedUntil, now), Math.min(ripe_at, now + MAX_PAUSE_MS))
  }
}

/** Deletes all that belongs to a partition, but not its row. */
function* erase(id: number): Transaction<void> {
  for (const table of TABLES) yield* write(`DELETE FROM ${table} WHERE partition_id = ?`, id)
}

const TABLES = [
  'events',
  'blocked_keys',
  ...MESSAGE_ID_TABLES,
  'identity_links',
  'contact_ids',
  'live_traits',
  'event_names',
  'dead_letters'
]

/** Forgets partitions whose key was refused before a time without ever having worked. @returns how many. */
function* forgetRefused({ dialect }: Context, before: number, limit: number): Transaction<number> {
  return yield* forget(
    dialect.lockFree,
    'suspended_at < ? AND suspended_status = 401 AND events = 0 AND dead = 0',
    before,
    limit
  )
}

/** Forgets partitions made before a time whose key never worked and of which nothing is left. @returns how many. */
function* forgetPartitions({ dialect }: Context, before: number, limit: number): Transaction<number> {
  return yield* forget(dialect.lockFree, 'created_at < ? AND events = 0 AND dead = 0', before, limit)
}

function* forget(lock: string, where: string, before: number, limit: number): Transaction<number> {
  const partitions = yield* rows<{ id: number }>(
    `SELECT id FROM partitions WHERE pool = 'unproven' AND worker IS NULL AND ${where} ORDER BY id LIMIT ? ${lock}`,
    before,
    limit
  )
  for (const { id } of partitions) {
    yield* erase(id)
    yield* write('DELETE FROM partitions WHERE id = ?', id)
  }
  return partitions.length
}

/** The clock was set back: what was to be done at a time of the old clock is done now. */
function* reschedule({ now }: Context): Transaction<void> {
  yield* write('UPDATE partitions SET due_at = ?, paused_until = ? WHERE due_at > ?', now, now, now)
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

// ---------------------------------------------------------------------------------------------- for operators

/** Conditions on a partition. */
export interface PartitionCondition {
  /** Whole fingerprint, or its start. */
  fingerprint?: string
  suspended?: boolean
}

/** Lets suspended and paused partitions be tried now. @returns how many. */
function* resume({ now }: Context, condition: PartitionCondition): Transaction<number> {
  const { where, params } = whereOf(condition)
  return yield* write(
    `UPDATE partitions SET paused = 0, paused_until = ?,
      due_at = CASE WHEN events > 0 OR pool = 'unproven' THEN ? ELSE due_at END
      WHERE (paused = 1 OR suspended_at IS NOT NULL) AND ${where}`,
    now,
    now,
    ...params
  )
}

/** Lets suspended partitions be tried now, unless somebody has paused them. @returns how many. */
function* retry({ now }: Context, condition: PartitionCondition): Transaction<number> {
  const { where, params } = whereOf(condition)
  return yield* write(
    `UPDATE partitions SET paused_until = ?, due_at = CASE WHEN events > 0 OR pool = 'unproven' THEN ? ELSE due_at END
      WHERE paused = 0 AND suspended_at IS NOT NULL AND ${where}`,
    now,
    now,
    ...params
  )
}

/** Nothing more is delivered for these partitions until they are resumed. @returns how many. */
function* pause(_context: Context, condition: PartitionCondition): Transaction<number> {
  const { where, params } = whereOf(condition)
  return yield* write(`UPDATE partitions SET paused = 1, due_at = NULL WHERE paused = 0 AND ${where}`, ...params)
}

/** Deletes up to `limit` waiting events of partitions nobody works on. @returns how many. */
function* drop(context: Context, condition: PartitionCondition, limit: number): Transaction<number> {
  const { where, params } = whereOf(condition)
  const [partition] = yield* lockPartitions(context, `events > 0 AND worker IS NULL AND ${where}`, ...params)
  if (!partition) return 0
  const gone = yield* rows<{ id: number; bytes: number }>(
    'SELECT id, bytes FROM events WHERE partition_id = ? ORDER BY id LIMIT ?',
    partition.id,
    limit
  )
  const last = gone[gone.length - 1].id
  yield* write('DELETE FROM events WHERE partition_id = ? AND id <= ?', partition.id, last)
  yield* write('DELETE FROM blocked_keys WHERE partition_id = ? AND event_id <= ?', partition.id, last)
  add(partition, { events: -gone.length, bytes: -bytesOf(gone) })
  if (partition.events === 0) partition.oldest_at = null
  yield* save([partition], ['oldest_at'])
  return gone.length
}

/** Those whose oldest event waits longest come first, then those that have none. */
function* listPartitions(
  _context: Context,
  condition: PartitionCondition,
  limit: number
): Transaction<(Omit<PartitionStatus, 'keyPrefix'> & { encryptedKey: string })[]> {
  const { where, params } = whereOf(condition)
  const found = yield* rows<Partition>(
    `SELECT ${COLUMNS} FROM partitions WHERE ${where}
      ORDER BY CASE WHEN oldest_at IS NULL THEN 1 ELSE 0 END, oldest_at, id LIMIT ?`,
    ...params,
    limit
  )
  if (found.length === 0) return []
  const deferred = yield* rows<{ partition_id: number; deferred_for: DeferReason; count: number }>(
    `SELECT partition_id, deferred_for, COUNT(*) AS count FROM events
      WHERE deferred_until IS NOT NULL AND partition_id IN (${marks(found)}) GROUP BY partition_id, deferred_for`,
    ...found.map(({ id }) => id)
  )
  return found.map((partition) => {
    const waits = deferred.filter(({ partition_id }) => partition_id === partition.id)
    return {
      partition: nameOf(partition.fingerprint),
      encryptedKey: partition.encrypted_key,
      events: partition.events,
      deferred: waits.reduce((total, { count }) => total + count, 0),
      deferredFor: Object.fromEntries(waits.map(({ deferred_for, count }) => [deferred_for, count])),
      bytes: partition.bytes,
      delivered: partition.delivered,
      deadLetters: partition.dead,
      oldestArrivedAt: partition.oldest_at ?? undefined,
      nextCallAt: partition.due_at ?? undefined,
      proven: partition.succeeded_at !== null,
      paused: partition.paused === 1,
      suspended:
        partition.suspended_at === null
          ? undefined
          : {
              since: partition.suspended_at,
              reason: partition.suspended_reason ?? '',
              nextTryAt: partition.paused_until
            }
    }
  })
}

interface WaitingRow extends Row {
  id: number
  attempts: number
  arrived_at: number
  first_failed_at: number | null
  deferred_for: DeferReason | null
  deferred_until: number | null
  body: string
}

/** Waiting events in the order of their arrival, behind one of them. */
function* listEvents(
  _context: Context,
  condition: PartitionCondition,
  after: number,
  limit: number
): Transaction<WaitingEvent[]> {
  const { where, params } = whereOf(condition)
  const found = yield* rows<WaitingRow>(
    `SELECT id, attempts, arrived_at, first_failed_at, deferred_for, deferred_until, body FROM events
      WHERE partition_id IN (SELECT id FROM partitions WHERE ${where}) AND id > ? ORDER BY partition_id, id LIMIT ?`,
    ...params,
    after,
    limit
  )
  return found.map(({ id, body, arrived_at, attempts, first_failed_at, deferred_for, deferred_until }) => ({
    id,
    event: JSON.parse(body) as BridgeEvent,
    arrivedAt: arrived_at,
    attempts,
    firstFailedAt: first_failed_at ?? undefined,
    deferred:
      deferred_for !== null && deferred_until !== null ? { for: deferred_for, until: deferred_until } : undefined
  }))
}

/** The names of fired events, the most fired first. */
function* reportNames(_context: Context, condition: PartitionCondition): Transaction<EventNameReport[]> {
  const { where, params } = whereOf(condition)
  const found = yield* rows<{ fingerprint: string; name: string; calls: number; matched: number; skipped: number }>(
    `SELECT fingerprint, name, calls, matched, skipped FROM event_names JOIN partitions ON partitions.id = partition_id
      WHERE ${where} ORDER BY partition_id, calls + skipped DESC, name`,
    ...params
  )
  return found.map(({ fingerprint, ...name }) => ({ partition: nameOf(fingerprint), ...name }))
}

export function whereOf({ fingerprint, suspended }: PartitionCondition): { where: string; params: Param[] } {
  const conditions = ['1 = 1']
  const params: Param[] = []
  if (fingerprint !== undefined) {
    conditions.push('substr(fingerprint, 1, ?) = ?')
    params.push(fingerprint.length, fingerprint)
  }
  if (suspended !== undefined) conditions.push(`suspended_at IS ${suspended ? 'NOT NULL' : 'NULL'}`)
  return { where: conditions.join(' AND '), params }
}

export const transactions = {
  heartbeat,
  deregister,
  letGo,
  claim,
  release,
  reschedule,
  forgetRefused,
  forgetPartitions,
  isProven,
  listEvents,
  listPartitions,
  retry,
  pause,
  resume,
  drop,
  reportNames
}
