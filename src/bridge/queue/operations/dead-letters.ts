import { marks, row, rows, write } from '../operation'
import type { Operation, Param, Row } from '../operation'
import type { Dialect } from '../schema'
import { partitionCondition } from './partitions'
import type { PartitionFilter } from './partitions'

export interface DeadRow extends Row {
  id: number
  fingerprint: string
  message_id: string
  type: string
  bytes: number
  arrived_at: number
  attempts: number
  first_failed_at: number | null
  died_at: number
  reason: string
  detail: string
}

export interface DeadFilter extends PartitionFilter {
  ids?: number[]
  reason?: string
  type?: string
  messageId?: string
  since?: number
  until?: number
  /** Only ids below. */
  before?: number
  isEvent?: boolean
}

const COLUMNS = `dead_letters.id, fingerprint, message_id, type, dead_letters.bytes, arrived_at, attempts, first_failed_at,
  died_at, reason, detail`

/** The newest first. */
export function* listDead(_dialect: Dialect, filter: DeadFilter, limit: number): Operation<DeadRow[]> {
  const { where, params } = condition(filter)
  return yield* rows<DeadRow>(
    `SELECT ${COLUMNS} FROM dead_letters JOIN partitions ON partitions.id = partition_id WHERE ${where}
      ORDER BY dead_letters.id DESC LIMIT ?`,
    ...params,
    limit
  )
}

export function* countDead(_dialect: Dialect, filter: DeadFilter): Operation<number> {
  const { where, params } = condition(filter)
  const counted = yield* row<{ count: number }>(
    `SELECT COUNT(*) AS count FROM dead_letters JOIN partitions ON partitions.id = partition_id WHERE ${where}`,
    ...params
  )
  return counted?.count ?? 0
}

export function* showDead(_dialect: Dialect, id: number): Operation<(DeadRow & { body: string }) | undefined> {
  return yield* row<DeadRow & { body: string }>(
    `SELECT ${COLUMNS}, body FROM dead_letters JOIN partitions ON partitions.id = partition_id WHERE dead_letters.id = ?`,
    id
  )
}

/** Puts up to `limit` dead letters, the oldest first, back at the end of their partitions. @returns how many. */
export function* retryDead(dialect: Dialect, filter: DeadFilter, limit: number, now: number): Operation<number> {
  const dead = yield* take(dialect, { ...filter, isEvent: true }, limit)
  if (dead.ids.length === 0) return 0
  yield* write(
    `INSERT INTO events (partition_id, message_id, type, bytes, arrived_at, body)
      SELECT partition_id, message_id, type, bytes, ?, body FROM dead_letters WHERE id IN (${marks(
        dead.ids
      )}) ORDER BY id`,
    now,
    ...dead.ids
  )
  yield* write(`DELETE FROM dead_letters WHERE id IN (${marks(dead.ids)})`, ...dead.ids)
  for (const { partitionId, count, bytes } of dead.partitions) {
    yield* write(
      `UPDATE partitions SET dead = dead - ?, dead_bytes = dead_bytes - ?, events = events + ?, bytes = bytes + ?,
        oldest_at = COALESCE(oldest_at, ?),
        due_at = CASE WHEN paused_until > ? THEN paused_until ELSE ? END WHERE id = ?`,
      ...[count, bytes, count, bytes, now, now, now, partitionId]
    )
  }
  return dead.ids.length
}

/** Deletes up to `limit` dead letters, the oldest first. @returns how many. */
export function* purgeDead(dialect: Dialect, filter: DeadFilter, limit: number): Operation<number> {
  const dead = yield* take(dialect, filter, limit)
  if (dead.ids.length === 0) return 0
  yield* write(`DELETE FROM dead_letters WHERE id IN (${marks(dead.ids)})`, ...dead.ids)
  for (const { partitionId, count, bytes } of dead.partitions) {
    yield* write(
      'UPDATE partitions SET dead = dead - ?, dead_bytes = dead_bytes - ? WHERE id = ?',
      count,
      bytes,
      partitionId
    )
  }
  return dead.ids.length
}

/** Locks the partitions of the first dead letters that match, then reads which of these are still there. */
function* take(
  dialect: Dialect,
  filter: DeadFilter,
  limit: number
): Operation<{ ids: number[]; partitions: { partitionId: number; count: number; bytes: number }[] }> {
  const { where, params } = condition(filter)
  const found = yield* rows<{ id: number; partition_id: number }>(
    `SELECT dead_letters.id, partition_id FROM dead_letters JOIN partitions ON partitions.id = partition_id WHERE ${where}
      ORDER BY dead_letters.id LIMIT ?`,
    ...params,
    limit
  )
  if (found.length === 0) return { ids: [], partitions: [] }
  const partitionIds = [...new Set(found.map(({ partition_id }) => partition_id))]
  yield* rows(
    `SELECT id FROM partitions WHERE id IN (${marks(partitionIds)}) ORDER BY id ${dialect.lock}`,
    ...partitionIds
  )

  const present = yield* rows<{ id: number; partition_id: number; bytes: number }>(
    `SELECT id, partition_id, bytes FROM dead_letters WHERE id IN (${marks(found)})`,
    ...found.map(({ id }) => id)
  )
  const partitions = new Map<number, { partitionId: number; count: number; bytes: number }>()
  for (const { partition_id, bytes } of present) {
    const partition = partitions.get(partition_id) ?? { partitionId: partition_id, count: 0, bytes: 0 }
    partitions.set(partition_id, {
      partitionId: partition_id,
      count: partition.count + 1,
      bytes: partition.bytes + bytes
    })
  }
  return { ids: present.map(({ id }) => id), partitions: [...partitions.values()] }
}

function condition(filter: DeadFilter): { where: string; params: Param[] } {
  const { where, params } = partitionCondition({ fingerprint: filter.fingerprint })
  const conditions = [where]
  const add = (sql: string, ...values: (Param | undefined)[]) => {
    if (values.some((value) => value === undefined)) return
    conditions.push(sql)
    params.push(...(values as Param[]))
  }
  if (filter.ids) add(`dead_letters.id IN (${marks([0, ...filter.ids])})`, 0, ...filter.ids)
  add('reason = ?', filter.reason)
  add('type = ?', filter.type)
  add('message_id = ?', filter.messageId)
  add('died_at >= ?', filter.since)
  add('died_at < ?', filter.until)
  add('dead_letters.id < ?', filter.before)
  if (filter.isEvent !== undefined) add(`type ${filter.isEvent ? '<>' : '='} 'rejected'`)
  return { where: conditions.join(' AND '), params }
}
