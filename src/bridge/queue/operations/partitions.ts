import { marks, row, rows, write } from '../operation'
import type { Operation, Param, Row } from '../operation'
import type { Dialect } from '../schema'
import type { Lease, ReleaseState } from '../queue'
import { dueAfter, MAX_PAUSE_MS } from './due'

export interface ClaimedRow extends Lease {
  fingerprint: string
  encryptedKey: string
  /** Calls in a row that came to nothing. */
  failures: number
  /** Last time a call for the partition came to something, ms since 1970. */
  succeededAt?: number
}

export interface PartitionRow extends Row {
  fingerprint: string
  events: number
  deferred: number
  bytes: number
  dead: number
  oldest_at: number | null
  succeeded_at: number | null
  suspended_at: number | null
  suspended_reason: string | null
  paused_until: number
}

export interface PartitionFilter {
  /** Whole fingerprint, or its start. */
  fingerprint?: string
  suspended?: boolean
}

interface ClaimRow extends Row {
  id: number
  fingerprint: string
  token: number
  encrypted_key: string
  failures: number
  succeeded_at: number | null
}

/** No worker's word on how long it lives is believed beyond this: its clock may have been wrong. */
const MAX_LEASE_MS = 60_000

/** Says that the worker lives. Its partitions are its own until `leaseMs` from now without another word. */
export function* heartbeat(dialect: Dialect, worker: string, leaseMs: number): Operation<void> {
  yield* write(
    `INSERT INTO workers (id, alive_until) VALUES (?, ${dialect.clock} + ?)
      ON CONFLICT (id) DO UPDATE SET alive_until = excluded.alive_until`,
    worker,
    Math.min(leaseMs, MAX_LEASE_MS)
  )
  yield* write(`DELETE FROM workers WHERE alive_until < ${dialect.clock} - ?`, 24 * 60 * 60 * 1000)
}

/** The worker is gone for good. What it still holds is free at once. */
export function* deregister(_dialect: Dialect, worker: string): Operation<void> {
  yield* write('DELETE FROM workers WHERE id = ?', worker)
}

/** Takes up to `limit` partitions that are due and nobody living works on, the longest due first. */
export function* claim(
  dialect: Dialect,
  worker: string,
  query: { limit: number; slow: boolean; except: number[] },
  now: number
): Operation<ClaimedRow[]> {
  const found = yield* rows<ClaimRow>(
    `SELECT id, fingerprint, token, encrypted_key, failures, succeeded_at FROM partitions
      WHERE due_at <= ? AND slow = ? AND id NOT IN (${marks([0, ...query.except])})
        AND (worker IS NULL OR NOT EXISTS (
          SELECT 1 FROM workers WHERE workers.id = partitions.worker
            AND alive_until > ${dialect.clock} AND alive_until <= ${dialect.clock} + ${MAX_LEASE_MS}))
      ORDER BY due_at LIMIT ? ${dialect.lockFree}`,
    now,
    query.slow ? 1 : 0,
    0,
    ...query.except,
    query.limit
  )
  if (found.length === 0) return []
  yield* write(
    `UPDATE partitions SET worker = ?, token = token + 1 WHERE id IN (${marks(found)})`,
    worker,
    ...found.map(({ id }) => id)
  )
  return found.map((partition) => ({
    partitionId: partition.id,
    token: partition.token + 1,
    fingerprint: partition.fingerprint,
    encryptedKey: partition.encrypted_key,
    failures: partition.failures,
    succeededAt: partition.succeeded_at ?? undefined
  }))
}

/** Locks the partition for this transaction. False: somebody else has it now, and nothing may be written. */
export function* lockLease(dialect: Dialect, lease: Lease): Operation<boolean> {
  const partition = yield* row(
    `SELECT id FROM partitions WHERE id = ? AND token = ? AND worker IS NOT NULL ${dialect.lock}`,
    lease.partitionId,
    lease.token
  )
  return partition !== undefined
}

/** Gives the partition back, to be due again when there is something to do and the pause is over. */
export function* release(dialect: Dialect, lease: Lease, state: ReleaseState, now: number): Operation<boolean> {
  if (!(yield* lockLease(dialect, lease))) return false
  const oldest = yield* row<{ arrived_at: number }>(
    'SELECT arrived_at FROM events WHERE partition_id = ? AND deferred_for IS NULL ORDER BY id LIMIT 1',
    lease.partitionId
  )
  const deferred = yield* row<{ until: number | null }>(
    'SELECT MIN(deferred_until) AS until FROM events WHERE partition_id = ? AND deferred_for IS NOT NULL',
    lease.partitionId
  )
  const pausedUntil = Math.min(state.pausedUntil, now + MAX_PAUSE_MS)
  let dueAt: number | null = null
  if (oldest) dueAt = dueAfter(pausedUntil, now)
  else if (deferred?.until != null)
    dueAt = Math.max(dueAfter(pausedUntil, now), Math.min(deferred.until, now + MAX_PAUSE_MS))

  const { suspended } = state
  yield* write(
    `UPDATE partitions SET worker = NULL, due_at = ?, paused_until = ?, failures = ?, slow = ?, oldest_at = ?,
      succeeded_at = CASE WHEN ? = 1 THEN ? ELSE succeeded_at END,
      tried_at = CASE WHEN ? = 1 THEN ? ELSE tried_at END,
      suspended_at = CASE WHEN ? = 1 THEN ? WHEN ? = 1 THEN COALESCE(suspended_at, ?) ELSE suspended_at END,
      suspended_status = CASE WHEN ? = 1 THEN ? ELSE suspended_status END,
      suspended_reason = CASE WHEN ? = 1 THEN ? ELSE suspended_reason END
      WHERE id = ?`,
    ...([dueAt, pausedUntil, state.failures, flag(state.slow), oldest?.arrived_at ?? null] as Param[]),
    ...[flag(state.succeeded), now],
    ...[flag(state.tried), now],
    ...[flag(state.succeeded && !suspended), null, flag(suspended), now],
    ...[flag(suspended || state.succeeded), suspended?.status ?? null],
    ...[flag(suspended || state.succeeded), suspended?.reason ?? null],
    lease.partitionId
  )
  return true
}

/** Lets suspended partitions try again now. */
export function* resume(_dialect: Dialect, filter: PartitionFilter, now: number): Operation<number> {
  const { where, params } = partitionCondition({ ...filter, suspended: true })
  return yield* write(
    `UPDATE partitions SET paused_until = ?, due_at = CASE WHEN events > 0 THEN ? ELSE due_at END WHERE ${where}`,
    now,
    now,
    ...params
  )
}

/** The clock was set back: what was to be done at a time of the old clock is done now. */
export function* reschedule(_dialect: Dialect, now: number): Operation<void> {
  yield* write('UPDATE partitions SET due_at = ?, paused_until = ? WHERE due_at > ?', now, now, now)
}

/** Whether EmailSendX has accepted the key at least once. */
export function* isProven(_dialect: Dialect, fingerprint: string): Operation<boolean> {
  const proven = yield* row('SELECT id FROM partitions WHERE fingerprint = ? AND succeeded_at IS NOT NULL', fingerprint)
  return proven !== undefined
}

export function* listPartitions(_dialect: Dialect, filter: PartitionFilter): Operation<PartitionRow[]> {
  const { where, params } = partitionCondition(filter)
  return yield* rows<PartitionRow>(
    `SELECT fingerprint, events, bytes, dead, oldest_at, succeeded_at, suspended_at, suspended_reason, paused_until,
      (SELECT COUNT(*) FROM events WHERE partition_id = partitions.id AND deferred_for IS NOT NULL) AS deferred
      FROM partitions WHERE ${where} ORDER BY id`,
    ...params
  )
}

export function partitionCondition({ fingerprint, suspended }: PartitionFilter): { where: string; params: Param[] } {
  const conditions = ['1 = 1']
  const params: Param[] = []
  if (fingerprint !== undefined) {
    conditions.push('substr(fingerprint, 1, ?) = ?')
    params.push(fingerprint.length, fingerprint)
  }
  if (suspended !== undefined) conditions.push(`suspended_at IS ${suspended ? 'NOT NULL' : 'NULL'}`)
  return { where: conditions.join(' AND '), params }
}

function flag(value: unknown): number {
  return value ? 1 : 0
}
