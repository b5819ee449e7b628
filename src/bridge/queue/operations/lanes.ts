import { marks, row, rows, write } from '../operation'
import type { Operation, Param, Row } from '../operation'
import type { Dialect } from '../schema'
import type { Lease, Rest } from '../spool'
import { dueAfter, MAX_PAUSE_MS } from './due'

export interface ClaimedRow extends Lease {
  fingerprint: string
  sealedKey: string
  /** Calls in a row that came to nothing. */
  failures: number
  /** Last time a call for the lane came to something, ms since 1970. */
  succeededAt?: number
}

export interface LaneRow extends Row {
  fingerprint: string
  events: number
  held: number
  bytes: number
  dead: number
  oldest_at: number | null
  succeeded_at: number | null
  parked_at: number | null
  parked_reason: string | null
  paused_until: number
}

export interface LaneFilter {
  /** Whole fingerprint, or its start. */
  fingerprint?: string
  parked?: boolean
}

interface ClaimRow extends Row {
  id: number
  fingerprint: string
  token: number
  sealed_key: string
  failures: number
  succeeded_at: number | null
}

/** No worker's word on how long it lives is believed beyond this: its clock may have been wrong. */
const MAX_LEASE_MS = 60_000

/** Says that the worker lives. Its lanes are its own until `leaseMs` from now without another word. */
export function* beat(dialect: Dialect, worker: string, leaseMs: number): Operation<void> {
  yield* write(
    `INSERT INTO workers (id, alive_until) VALUES (?, ${dialect.clock} + ?)
      ON CONFLICT (id) DO UPDATE SET alive_until = excluded.alive_until`,
    worker,
    Math.min(leaseMs, MAX_LEASE_MS)
  )
  yield* write(`DELETE FROM workers WHERE alive_until < ${dialect.clock} - ?`, 24 * 60 * 60 * 1000)
}

/** The worker is gone for good. What it still holds is free at once. */
export function* leave(_dialect: Dialect, worker: string): Operation<void> {
  yield* write('DELETE FROM workers WHERE id = ?', worker)
}

/** Takes up to `limit` lanes that are due and nobody living works on, the longest due first. */
export function* claim(
  dialect: Dialect,
  worker: string,
  query: { limit: number; slow: boolean; except: number[] },
  now: number
): Operation<ClaimedRow[]> {
  const found = yield* rows<ClaimRow>(
    `SELECT id, fingerprint, token, sealed_key, failures, succeeded_at FROM lanes
      WHERE due_at <= ? AND slow = ? AND id NOT IN (${marks([0, ...query.except])})
        AND (worker IS NULL OR NOT EXISTS (
          SELECT 1 FROM workers WHERE workers.id = lanes.worker
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
    `UPDATE lanes SET worker = ?, token = token + 1 WHERE id IN (${marks(found)})`,
    worker,
    ...found.map(({ id }) => id)
  )
  return found.map((lane) => ({
    laneId: lane.id,
    token: lane.token + 1,
    fingerprint: lane.fingerprint,
    sealedKey: lane.sealed_key,
    failures: lane.failures,
    succeededAt: lane.succeeded_at ?? undefined
  }))
}

/** Locks the lane for this transaction. False: somebody else has it now, and nothing may be written. */
export function* hold(dialect: Dialect, lease: Lease): Operation<boolean> {
  const lane = yield* row(
    `SELECT id FROM lanes WHERE id = ? AND token = ? AND worker IS NOT NULL ${dialect.lock}`,
    lease.laneId,
    lease.token
  )
  return lane !== undefined
}

/** Gives the lane back, to be due again when there is something to do and the pause is over. */
export function* release(dialect: Dialect, lease: Lease, rest: Rest, now: number): Operation<boolean> {
  if (!(yield* hold(dialect, lease))) return false
  const oldest = yield* row<{ arrived_at: number }>(
    'SELECT arrived_at FROM events WHERE lane_id = ? AND held_for IS NULL ORDER BY id LIMIT 1',
    lease.laneId
  )
  const held = yield* row<{ until: number | null }>(
    'SELECT MIN(held_until) AS until FROM events WHERE lane_id = ? AND held_for IS NOT NULL',
    lease.laneId
  )
  const pausedUntil = Math.min(rest.pausedUntil, now + MAX_PAUSE_MS)
  let dueAt: number | null = null
  if (oldest) dueAt = dueAfter(pausedUntil, now)
  else if (held?.until != null) dueAt = Math.max(dueAfter(pausedUntil, now), Math.min(held.until, now + MAX_PAUSE_MS))

  const { parked } = rest
  yield* write(
    `UPDATE lanes SET worker = NULL, due_at = ?, paused_until = ?, failures = ?, slow = ?, oldest_at = ?,
      succeeded_at = CASE WHEN ? = 1 THEN ? ELSE succeeded_at END,
      tried_at = CASE WHEN ? = 1 THEN ? ELSE tried_at END,
      parked_at = CASE WHEN ? = 1 THEN ? WHEN ? = 1 THEN COALESCE(parked_at, ?) ELSE parked_at END,
      parked_status = CASE WHEN ? = 1 THEN ? ELSE parked_status END,
      parked_reason = CASE WHEN ? = 1 THEN ? ELSE parked_reason END
      WHERE id = ?`,
    ...([dueAt, pausedUntil, rest.failures, flag(rest.slow), oldest?.arrived_at ?? null] as Param[]),
    ...[flag(rest.succeeded), now],
    ...[flag(rest.tried), now],
    ...[flag(rest.succeeded && !parked), null, flag(parked), now],
    ...[flag(parked || rest.succeeded), parked?.status ?? null],
    ...[flag(parked || rest.succeeded), parked?.reason ?? null],
    lease.laneId
  )
  return true
}

/** Lets parked lanes try again now. */
export function* unpark(_dialect: Dialect, filter: LaneFilter, now: number): Operation<number> {
  const { where, params } = laneCondition({ ...filter, parked: true })
  return yield* write(
    `UPDATE lanes SET paused_until = ?, due_at = CASE WHEN events > 0 THEN ? ELSE due_at END WHERE ${where}`,
    now,
    now,
    ...params
  )
}

/** The clock was set back: what was to be done at a time of the old clock is done now. */
export function* rewind(_dialect: Dialect, now: number): Operation<void> {
  yield* write('UPDATE lanes SET due_at = ?, paused_until = ? WHERE due_at > ?', now, now, now)
}

export function* listLanes(_dialect: Dialect, filter: LaneFilter): Operation<LaneRow[]> {
  const { where, params } = laneCondition(filter)
  return yield* rows<LaneRow>(
    `SELECT fingerprint, events, bytes, dead, oldest_at, succeeded_at, parked_at, parked_reason, paused_until,
      (SELECT COUNT(*) FROM events WHERE lane_id = lanes.id AND held_for IS NOT NULL) AS held
      FROM lanes WHERE ${where} ORDER BY id`,
    ...params
  )
}

export function laneCondition({ fingerprint, parked }: LaneFilter): { where: string; params: Param[] } {
  const conditions = ['1 = 1']
  const params: Param[] = []
  if (fingerprint !== undefined) {
    conditions.push('substr(fingerprint, 1, ?) = ?')
    params.push(fingerprint.length, fingerprint)
  }
  if (parked !== undefined) conditions.push(`parked_at IS ${parked ? 'NOT NULL' : 'NULL'}`)
  return { where: conditions.join(' AND '), params }
}

function flag(value: unknown): number {
  return value ? 1 : 0
}
