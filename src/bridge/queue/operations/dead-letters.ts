import { marks, row, rows, write } from '../operation'
import type { Operation, Param, Row } from '../operation'
import type { Dialect } from '../schema'
import { laneCondition } from './lanes'
import type { LaneFilter } from './lanes'

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

export interface DeadFilter extends LaneFilter {
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
    `SELECT ${COLUMNS} FROM dead_letters JOIN lanes ON lanes.id = lane_id WHERE ${where}
      ORDER BY dead_letters.id DESC LIMIT ?`,
    ...params,
    limit
  )
}

export function* countDead(_dialect: Dialect, filter: DeadFilter): Operation<number> {
  const { where, params } = condition(filter)
  const counted = yield* row<{ count: number }>(
    `SELECT COUNT(*) AS count FROM dead_letters JOIN lanes ON lanes.id = lane_id WHERE ${where}`,
    ...params
  )
  return counted?.count ?? 0
}

export function* showDead(_dialect: Dialect, id: number): Operation<(DeadRow & { body: string }) | undefined> {
  return yield* row<DeadRow & { body: string }>(
    `SELECT ${COLUMNS}, body FROM dead_letters JOIN lanes ON lanes.id = lane_id WHERE dead_letters.id = ?`,
    id
  )
}

/** Puts up to `limit` dead letters, the oldest first, back at the end of their lanes. @returns how many. */
export function* retryDead(dialect: Dialect, filter: DeadFilter, limit: number, now: number): Operation<number> {
  const dead = yield* take(dialect, { ...filter, isEvent: true }, limit)
  if (dead.ids.length === 0) return 0
  yield* write(
    `INSERT INTO events (lane_id, message_id, type, bytes, arrived_at, body)
      SELECT lane_id, message_id, type, bytes, ?, body FROM dead_letters WHERE id IN (${marks(dead.ids)}) ORDER BY id`,
    now,
    ...dead.ids
  )
  yield* write(`DELETE FROM dead_letters WHERE id IN (${marks(dead.ids)})`, ...dead.ids)
  for (const { laneId, count, bytes } of dead.lanes) {
    yield* write(
      `UPDATE lanes SET dead = dead - ?, dead_bytes = dead_bytes - ?, events = events + ?, bytes = bytes + ?,
        oldest_at = COALESCE(oldest_at, ?),
        due_at = CASE WHEN paused_until > ? THEN paused_until ELSE ? END WHERE id = ?`,
      ...[count, bytes, count, bytes, now, now, now, laneId]
    )
  }
  return dead.ids.length
}

/** Deletes up to `limit` dead letters, the oldest first. @returns how many. */
export function* purgeDead(dialect: Dialect, filter: DeadFilter, limit: number): Operation<number> {
  const dead = yield* take(dialect, filter, limit)
  if (dead.ids.length === 0) return 0
  yield* write(`DELETE FROM dead_letters WHERE id IN (${marks(dead.ids)})`, ...dead.ids)
  for (const { laneId, count, bytes } of dead.lanes) {
    yield* write('UPDATE lanes SET dead = dead - ?, dead_bytes = dead_bytes - ? WHERE id = ?', count, bytes, laneId)
  }
  return dead.ids.length
}

/** Locks the lanes of the first dead letters that match, then reads which of these are still there. */
function* take(
  dialect: Dialect,
  filter: DeadFilter,
  limit: number
): Operation<{ ids: number[]; lanes: { laneId: number; count: number; bytes: number }[] }> {
  const { where, params } = condition(filter)
  const found = yield* rows<{ id: number; lane_id: number }>(
    `SELECT dead_letters.id, lane_id FROM dead_letters JOIN lanes ON lanes.id = lane_id WHERE ${where}
      ORDER BY dead_letters.id LIMIT ?`,
    ...params,
    limit
  )
  if (found.length === 0) return { ids: [], lanes: [] }
  const laneIds = [...new Set(found.map(({ lane_id }) => lane_id))]
  yield* rows(`SELECT id FROM lanes WHERE id IN (${marks(laneIds)}) ORDER BY id ${dialect.lock}`, ...laneIds)

  const present = yield* rows<{ id: number; lane_id: number; bytes: number }>(
    `SELECT id, lane_id, bytes FROM dead_letters WHERE id IN (${marks(found)})`,
    ...found.map(({ id }) => id)
  )
  const lanes = new Map<number, { laneId: number; count: number; bytes: number }>()
  for (const { lane_id, bytes } of present) {
    const lane = lanes.get(lane_id) ?? { laneId: lane_id, count: 0, bytes: 0 }
    lanes.set(lane_id, { laneId: lane_id, count: lane.count + 1, bytes: lane.bytes + bytes })
  }
  return { ids: present.map(({ id }) => id), lanes: [...lanes.values()] }
}

function condition(filter: DeadFilter): { where: string; params: Param[] } {
  const { where, params } = laneCondition({ fingerprint: filter.fingerprint })
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
