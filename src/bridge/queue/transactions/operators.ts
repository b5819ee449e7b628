import type { BridgeEvent } from '../../event'
import type { DeferReason, PartitionStatus, WaitingEvent } from '../types'
import { add, COLUMNS, lockPartitions, nameOf, save, whereOf } from './partitions'
import type { Partition, PartitionCondition } from './partitions'
import { bytesOf, marks, rows, write } from './sql'
import type { Context, Row, Transaction } from './sql'

/* Partitions as an operator sees them. */

/** Lets suspended and paused partitions be tried now. @returns how many. */
const resume = ({ now }: Context, condition: PartitionCondition) =>
  tryNow(now, 'paused = 1 OR suspended_at IS NOT NULL', condition)

/** Lets suspended partitions be tried now, unless somebody has paused them. @returns how many. */
const retry = ({ now }: Context, condition: PartitionCondition) =>
  tryNow(now, 'paused = 0 AND suspended_at IS NOT NULL', condition)

function* tryNow(now: number, rests: string, condition: PartitionCondition): Transaction<number> {
  const { where, params } = whereOf(condition)
  return yield* write(
    `UPDATE partitions SET paused = 0, paused_until = ?,
      due_at = CASE WHEN events > 0 OR pool = 'unproven' THEN ? ELSE due_at END WHERE (${rests}) AND ${where}`,
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

export const transactions = { resume, retry, pause, drop, listPartitions, listEvents }
