import type { DeadReason, Block, BlockedKey, Lease, Ack } from '../queue'
import { insertNew, marks, pieces, row, rows, write } from '../operation'
import type { Operation } from '../operation'
import type { Dialect } from '../schema'
import { lockLease } from './partitions'

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
const MAX_REQUEUED = 1000

/** The first events of a partition that are not deferred, up to a number of rows and bytes (at least one). Undefined: lease lost. */
export function* head(
  dialect: Dialect,
  lease: Lease,
  size: { rows: number; bytes: number },
  now: number
): Operation<Page | undefined> {
  if (!(yield* lockLease(dialect, lease))) return undefined
  const ripe = yield* rows<{ id: number }>(
    'SELECT id FROM events WHERE partition_id = ? AND deferred_for IS NOT NULL AND deferred_until <= ? ORDER BY deferred_until LIMIT ?',
    lease.partitionId,
    now,
    MAX_REQUEUED
  )
  yield* putBack(ripe.map(({ id }) => id))

  const sizes = yield* rows<{ id: number; bytes: number }>(
    'SELECT id, bytes FROM events WHERE partition_id = ? AND deferred_for IS NULL ORDER BY id LIMIT ?',
    lease.partitionId,
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
      WHERE partition_id = ? AND deferred_for IS NULL AND id <= ? ORDER BY id LIMIT ?`,
    lease.partitionId,
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

/** What the partition knows about these users: their emails, and what of them is deferred. */
export function* lookUp(
  _dialect: Dialect,
  partitionId: number,
  keys: string[]
): Operation<{ emails: [key: string, email: string][]; blocked: BlockedKey[] }> {
  const emails: [string, string][] = []
  const blocked: BlockedKey[] = []
  for (const some of pieces(keys)) {
    const known = yield* rows<{ key: string; email: string }>(
      `SELECT key, email FROM identity_links WHERE partition_id = ? AND key IN (${marks(some)})`,
      partitionId,
      ...some
    )
    emails.push(...known.map(({ key, email }): [string, string] => [key, email]))
    blocked.push(
      ...(yield* rows<{ key: string; blocks: Block; first: number }>(
        `SELECT key, blocks, MIN(event_id) AS first FROM blocked_keys WHERE partition_id = ? AND key IN (${marks(some)})
          GROUP BY key, blocks`,
        partitionId,
        ...some
      ))
    )
  }
  return { emails, blocked }
}

/** Writes down that an event is about to be fired. False: lease lost, it must not be. */
export function* markFiring(dialect: Dialect, lease: Lease, id: number): Operation<boolean> {
  if (!(yield* lockLease(dialect, lease))) return false
  yield* write('UPDATE events SET firing = 1 WHERE id = ? AND partition_id = ?', id, lease.partitionId)
  return true
}

/** Writes down what became of events. @returns how many others are back in the queue for it; undefined: lease lost. */
export function* ack(
  dialect: Dialect,
  lease: Lease,
  ack: Ack,
  now: number
): Operation<{ requeued: number } | undefined> {
  if (!(yield* lockLease(dialect, lease))) return undefined
  const { partitionId } = lease
  const { failed = [], delivered = [], dead = [], deferred = [], links = [] } = ack

  for (const ids of pieces(failed)) {
    yield* write(
      `UPDATE events SET attempts = attempts + 1, first_failed_at = COALESCE(first_failed_at, ?), firing = 0
        WHERE partition_id = ? AND id IN (${marks(ids)})`,
      now,
      partitionId,
      ...ids
    )
  }
  for (const { ids, reason, detail } of dead) yield* bury(partitionId, ids, reason, detail, now)
  yield* remove(partitionId, delivered)
  for (const event of deferred) {
    yield* write(
      'UPDATE events SET deferred_for = ?, deferred_until = ?, firing = 0 WHERE id = ? AND partition_id = ?',
      event.for,
      event.until,
      event.id,
      partitionId
    )
  }
  yield* insertNew(
    'blocked_keys',
    ['partition_id', 'key', 'event_id', 'blocks'],
    deferred.flatMap(({ id, keys, blocks }) => keys.map((key) => [partitionId, key, id, blocks])),
    ['partition_id', 'key', 'event_id']
  )
  for (const { key, email } of links) {
    yield* write(
      'INSERT INTO identity_links (partition_id, key, email) VALUES (?, ?, ?) ON CONFLICT (partition_id, key) DO UPDATE SET email = ?',
      ...[partitionId, key, email, email]
    )
  }
  return { requeued: yield* requeue(partitionId, ack) }
}

function* requeue(
  partitionId: number,
  { requeue: all = [], requeueFirst = [], requeueIdentifies = [] }: Ack
): Operation<number> {
  const ids = new Set<number>()
  const find = function* (keys: string[], select: string, rest = ''): Operation<void> {
    for (const some of pieces(keys)) {
      const found = yield* rows<{ id: number }>(
        `SELECT ${select} AS id FROM blocked_keys JOIN events ON events.id = event_id
          WHERE blocked_keys.partition_id = ? AND key IN (${marks(some)}) ${rest}`,
        partitionId,
        ...some
      )
      for (const { id } of found) ids.add(id)
    }
  }
  yield* find(requeueFirst, 'MIN(event_id)', 'GROUP BY key')
  // Those that wait for an email of their own are not waiting for their turn.
  const unready = yield* rows<{ id: number }>(
    `SELECT id FROM events WHERE id IN (${marks([0, ...ids])}) AND deferred_for = 'email'`,
    0,
    ...ids
  )
  for (const { id } of unready) ids.delete(id)
  yield* find(all, 'event_id')
  yield* find(requeueIdentifies, 'event_id', `AND type = 'identify' AND deferred_for <> 'retry'`)
  yield* putBack([...ids])
  return ids.size
}

function* putBack(deferred: number[]): Operation<void> {
  for (const ids of pieces(deferred)) {
    yield* write(`UPDATE events SET deferred_for = NULL, deferred_until = NULL WHERE id IN (${marks(ids)})`, ...ids)
    yield* write(`DELETE FROM blocked_keys WHERE event_id IN (${marks(ids)})`, ...ids)
  }
}

/** Takes events out of a partition and its accounts. */
function* remove(partitionId: number, gone: number[]): Operation<void> {
  for (const ids of pieces(gone)) {
    const removed = yield* rows<{ bytes: number }>(
      `DELETE FROM events WHERE partition_id = ? AND id IN (${marks(ids)}) RETURNING bytes`,
      partitionId,
      ...ids
    )
    yield* write(`DELETE FROM blocked_keys WHERE event_id IN (${marks(ids)})`, ...ids)
    yield* write(
      'UPDATE partitions SET events = events - ?, bytes = bytes - ? WHERE id = ?',
      removed.length,
      removed.reduce((total, { bytes }) => total + bytes, 0),
      partitionId
    )
  }
}

/** Makes events dead letters. The partition must be locked. */
export function* bury(
  partitionId: number,
  events: number[],
  reason: DeadReason,
  detail: string,
  now: number
): Operation<void> {
  for (const ids of pieces(events)) {
    yield* write(
      `INSERT INTO dead_letters
        (partition_id, message_id, type, bytes, arrived_at, attempts, first_failed_at, died_at, reason, detail, body)
        SELECT partition_id, message_id, type, bytes, arrived_at, attempts, first_failed_at, ?, ?, ?, body
        FROM events WHERE partition_id = ? AND id IN (${marks(ids)}) ORDER BY id`,
      now,
      reason,
      detail,
      partitionId,
      ...ids
    )
    const buried = yield* row<{ count: number; bytes: number | null }>(
      `SELECT COUNT(*) AS count, CAST(SUM(bytes) AS BIGINT) AS bytes FROM events WHERE partition_id = ? AND id IN (${marks(
        ids
      )})`,
      partitionId,
      ...ids
    )
    yield* write(
      'UPDATE partitions SET dead = dead + ?, dead_bytes = dead_bytes + ? WHERE id = ?',
      buried?.count ?? 0,
      buried?.bytes ?? 0,
      partitionId
    )
  }
  yield* remove(partitionId, events)
}
