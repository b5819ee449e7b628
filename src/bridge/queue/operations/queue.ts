import type { DeadReason, Gate, HeldKey, Lease, Settlement } from '../spool'
import { insertNew, marks, pieces, row, rows, write } from '../operation'
import type { Operation } from '../operation'
import type { Dialect } from '../schema'
import { hold } from './lanes'

/** An undelivered event as a worker reads it. */
export interface QueuedEvent {
  id: number
  body: string
  arrivedAt: number
  attempts: number
  firstFailedAt?: number
  /** A worker set out to fire it and never said what came of it. */
  firing: boolean
}

export interface Page {
  /** In the order of arrival. */
  events: QueuedEvent[]
  /** There is nothing behind them. */
  complete: boolean
}

/** Most events put back into the queue at once because their time has come. */
const MAX_WOKEN = 1000

/** The first events of a lane that are not held, up to a number of rows and bytes (at least one). Undefined: lease lost. */
export function* head(
  dialect: Dialect,
  lease: Lease,
  size: { rows: number; bytes: number },
  now: number
): Operation<Page | undefined> {
  if (!(yield* hold(dialect, lease))) return undefined
  const ripe = yield* rows<{ id: number }>(
    'SELECT id FROM events WHERE lane_id = ? AND held_for IS NOT NULL AND held_until <= ? ORDER BY held_until LIMIT ?',
    lease.laneId,
    now,
    MAX_WOKEN
  )
  yield* putBack(ripe.map(({ id }) => id))

  const sizes = yield* rows<{ id: number; bytes: number }>(
    'SELECT id, bytes FROM events WHERE lane_id = ? AND held_for IS NULL ORDER BY id LIMIT ?',
    lease.laneId,
    size.rows + 1
  )
  let count = 0
  for (let bytes = 0; count < Math.min(sizes.length, size.rows); count++) {
    bytes += sizes[count].bytes
    if (bytes > size.bytes && count > 0) break
  }
  if (count === 0) return { events: [], complete: true }

  const events = yield* rows<{
    id: number
    body: string
    arrived_at: number
    attempts: number
    first_failed_at: number | null
    firing: number
  }>(
    `SELECT id, body, arrived_at, attempts, first_failed_at, firing FROM events
      WHERE lane_id = ? AND held_for IS NULL AND id <= ? ORDER BY id LIMIT ?`,
    lease.laneId,
    sizes[count - 1].id,
    count
  )
  return {
    complete: count === sizes.length,
    events: events.map((event) => ({
      id: event.id,
      body: event.body,
      arrivedAt: event.arrived_at,
      attempts: event.attempts,
      firstFailedAt: event.first_failed_at ?? undefined,
      firing: event.firing === 1
    }))
  }
}

/** What the lane knows about these users: their emails, and what of them is held. */
export function* whatIsKnown(
  _dialect: Dialect,
  laneId: number,
  keys: string[]
): Operation<{ emails: [key: string, email: string][]; held: HeldKey[] }> {
  const emails: [string, string][] = []
  const held: HeldKey[] = []
  for (const some of pieces(keys)) {
    const known = yield* rows<{ key: string; email: string }>(
      `SELECT key, email FROM identities WHERE lane_id = ? AND key IN (${marks(some)})`,
      laneId,
      ...some
    )
    emails.push(...known.map(({ key, email }): [string, string] => [key, email]))
    held.push(
      ...(yield* rows<{ key: string; gate: Gate; first: number }>(
        `SELECT key, gate, MIN(event_id) AS first FROM held_keys WHERE lane_id = ? AND key IN (${marks(some)})
          GROUP BY key, gate`,
        laneId,
        ...some
      ))
    )
  }
  return { emails, held }
}

/** Writes down that an event is about to be fired. False: lease lost, it must not be. */
export function* fire(dialect: Dialect, lease: Lease, id: number): Operation<boolean> {
  if (!(yield* hold(dialect, lease))) return false
  yield* write('UPDATE events SET firing = 1 WHERE id = ? AND lane_id = ?', id, lease.laneId)
  return true
}

/** Writes down what became of events. @returns how many others are back in the queue for it; undefined: lease lost. */
export function* settle(
  dialect: Dialect,
  lease: Lease,
  settlement: Settlement,
  now: number
): Operation<{ woken: number } | undefined> {
  if (!(yield* hold(dialect, lease))) return undefined
  const { laneId } = lease
  const { failed = [], delivered = [], dead = [], held = [], learned = [] } = settlement

  for (const ids of pieces(failed)) {
    yield* write(
      `UPDATE events SET attempts = attempts + 1, first_failed_at = COALESCE(first_failed_at, ?), firing = 0
        WHERE lane_id = ? AND id IN (${marks(ids)})`,
      now,
      laneId,
      ...ids
    )
  }
  for (const { ids, reason, detail } of dead) yield* bury(laneId, ids, reason, detail, now)
  yield* remove(laneId, delivered)
  for (const event of held) {
    yield* write(
      'UPDATE events SET held_for = ?, held_until = ?, firing = 0 WHERE id = ? AND lane_id = ?',
      event.for,
      event.until,
      event.id,
      laneId
    )
  }
  yield* insertNew(
    'held_keys',
    ['lane_id', 'key', 'event_id', 'gate'],
    held.flatMap(({ id, keys, gate }) => keys.map((key) => [laneId, key, id, gate])),
    ['lane_id', 'key', 'event_id']
  )
  for (const { key, email } of learned) {
    yield* write(
      'INSERT INTO identities (lane_id, key, email) VALUES (?, ?, ?) ON CONFLICT (lane_id, key) DO UPDATE SET email = ?',
      ...[laneId, key, email, email]
    )
  }
  return { woken: yield* wake(laneId, settlement) }
}

function* wake(laneId: number, { wake: all = [], wakeFirst = [], wakeIdentifies = [] }: Settlement): Operation<number> {
  const ids = new Set<number>()
  const find = function* (keys: string[], select: string, rest = ''): Operation<void> {
    for (const some of pieces(keys)) {
      const found = yield* rows<{ id: number }>(
        `SELECT ${select} AS id FROM held_keys JOIN events ON events.id = event_id
          WHERE held_keys.lane_id = ? AND key IN (${marks(some)}) ${rest}`,
        laneId,
        ...some
      )
      for (const { id } of found) ids.add(id)
    }
  }
  yield* find(wakeFirst, 'MIN(event_id)', 'GROUP BY key')
  // Those that wait for an email of their own are not waiting for their turn.
  const unready = yield* rows<{ id: number }>(
    `SELECT id FROM events WHERE id IN (${marks([0, ...ids])}) AND held_for = 'email'`,
    0,
    ...ids
  )
  for (const { id } of unready) ids.delete(id)
  yield* find(all, 'event_id')
  yield* find(wakeIdentifies, 'event_id', `AND type = 'identify' AND held_for <> 'retry'`)
  yield* putBack([...ids])
  return ids.size
}

function* putBack(held: number[]): Operation<void> {
  for (const ids of pieces(held)) {
    yield* write(`UPDATE events SET held_for = NULL, held_until = NULL WHERE id IN (${marks(ids)})`, ...ids)
    yield* write(`DELETE FROM held_keys WHERE event_id IN (${marks(ids)})`, ...ids)
  }
}

/** Takes events out of a lane and its accounts. */
function* remove(laneId: number, gone: number[]): Operation<void> {
  for (const ids of pieces(gone)) {
    const removed = yield* rows<{ bytes: number }>(
      `DELETE FROM events WHERE lane_id = ? AND id IN (${marks(ids)}) RETURNING bytes`,
      laneId,
      ...ids
    )
    yield* write(`DELETE FROM held_keys WHERE event_id IN (${marks(ids)})`, ...ids)
    yield* write(
      'UPDATE lanes SET events = events - ?, bytes = bytes - ? WHERE id = ?',
      removed.length,
      removed.reduce((total, { bytes }) => total + bytes, 0),
      laneId
    )
  }
}

/** Makes events dead letters. The lane must be locked. */
export function* bury(
  laneId: number,
  events: number[],
  reason: DeadReason,
  detail: string,
  now: number
): Operation<void> {
  for (const ids of pieces(events)) {
    yield* write(
      `INSERT INTO dead_letters
        (lane_id, message_id, type, bytes, arrived_at, attempts, first_failed_at, died_at, reason, detail, body)
        SELECT lane_id, message_id, type, bytes, arrived_at, attempts, first_failed_at, ?, ?, ?, body
        FROM events WHERE lane_id = ? AND id IN (${marks(ids)}) ORDER BY id`,
      now,
      reason,
      detail,
      laneId,
      ...ids
    )
    const buried = yield* row<{ count: number; bytes: number | null }>(
      `SELECT COUNT(*) AS count, CAST(SUM(bytes) AS BIGINT) AS bytes FROM events WHERE lane_id = ? AND id IN (${marks(
        ids
      )})`,
      laneId,
      ...ids
    )
    yield* write(
      'UPDATE lanes SET dead = dead + ?, dead_bytes = dead_bytes + ? WHERE id = ?',
      buried?.count ?? 0,
      buried?.bytes ?? 0,
      laneId
    )
  }
  yield* remove(laneId, events)
}
