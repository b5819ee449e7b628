import type { DeadLetter, DeadLetterFilter, DeadReason, PartitionFilter } from '../types'
import { add, dueAfter, lockPartitions, nameOf, save, whereOf } from './partitions'
import type { Partition, PartitionCondition } from './partitions'
import { bytesOf, marks, row, rows, write } from './sql'
import type { Context, Param, Row, Transaction } from './sql'

/** Conditions on a dead letter. */
export interface DeadLetterCondition
  extends Pick<PartitionCondition, 'fingerprint'>,
    Omit<DeadLetterFilter, keyof PartitionFilter> {
  /** Only ids below. */
  before?: number
  isEvent?: boolean
}

interface DeadLetterRow extends Row {
  id: number
  fingerprint: string
  message_id: string
  type: DeadLetter['type']
  bytes: number
  arrived_at: number
  attempts: number
  first_failed_at: number | null
  died_at: number
  reason: DeadReason
  detail: string
}

const COLUMNS = `dead_letters.id, fingerprint, message_id, type, dead_letters.bytes, arrived_at, attempts, first_failed_at,
  died_at, reason, detail`
const FROM = 'FROM dead_letters JOIN partitions ON partitions.id = partition_id'

/** The newest first. */
function* listDead(_context: Context, condition: DeadLetterCondition, limit: number): Transaction<DeadLetter[]> {
  const { where, params } = conditionsOf(condition)
  const found = yield* rows<DeadLetterRow>(
    `SELECT ${COLUMNS} ${FROM} WHERE ${where} ORDER BY dead_letters.id DESC LIMIT ?`,
    ...params,
    limit
  )
  return found.map(toDeadLetter)
}

function* countDead(_context: Context, condition: DeadLetterCondition): Transaction<number> {
  const { where, params } = conditionsOf(condition)
  const counted = yield* row<{ count: number }>(`SELECT COUNT(*) AS count ${FROM} WHERE ${where}`, ...params)
  return counted?.count ?? 0
}

/** One with what was received. */
function* showDead(_context: Context, id: number): Transaction<(DeadLetter & { content: unknown }) | undefined> {
  const found = yield* row<DeadLetterRow & { body: string }>(
    `SELECT ${COLUMNS}, body ${FROM} WHERE dead_letters.id = ?`,
    id
  )
  return found && { ...toDeadLetter(found), content: JSON.parse(found.body) }
}

function toDeadLetter(letter: DeadLetterRow): DeadLetter {
  return {
    id: letter.id,
    partition: nameOf(letter.fingerprint),
    messageId: letter.message_id,
    type: letter.type,
    reason: letter.reason,
    detail: letter.detail,
    attempts: letter.attempts,
    arrivedAt: letter.arrived_at,
    firstFailedAt: letter.first_failed_at ?? undefined,
    diedAt: letter.died_at,
    bytes: letter.bytes
  }
}

/** Puts another event in the place of what is in a dead letter. @returns whether there is such a letter. */
function* replaceDead(context: Context, id: number, type: string, body: string, bytes: number): Transaction<boolean> {
  const [dead] = yield* take(context, { ids: [id] }, 1)
  if (!dead || dead.letters.length === 0) return false
  yield* write('UPDATE dead_letters SET type = ?, body = ?, bytes = ? WHERE id = ?', type, body, bytes, id)
  add(dead.partition, { dead_bytes: bytes - bytesOf(dead.letters) })
  yield* save([dead.partition])
  return true
}

/** Puts up to `limit` dead letters, the oldest first, back at the end of their partitions. @returns how many. */
function* retryDead(context: Context, condition: DeadLetterCondition, limit: number): Transaction<number> {
  const { now } = context
  const dead = yield* take(context, { ...condition, isEvent: true }, limit)
  for (const { partition, letters } of dead) {
    yield* write(
      `INSERT INTO events (partition_id, id, message_id, type, bytes, arrived_at, body)
        SELECT partition_id, CAST(? AS BIGINT) + ROW_NUMBER() OVER (ORDER BY id), message_id, type, bytes,
          CAST(? AS BIGINT), body FROM dead_letters WHERE partition_id = ? AND id IN (${marks(letters)})`,
      partition.last_event_id,
      now,
      partition.id,
      ...letters.map(({ id }) => id)
    )
  }
  for (const { partition, letters } of dead) {
    add(partition, { events: letters.length, bytes: bytesOf(letters) })
    partition.last_event_id += letters.length
    partition.oldest_at ??= now
    partition.due_at = partition.paused ? null : dueAfter(partition.paused_until, now)
  }
  return yield* remove(dead, ['last_event_id', 'oldest_at', 'due_at'])
}

/** Deletes up to `limit` dead letters, the oldest first. @returns how many. */
function* purgeDead(context: Context, condition: DeadLetterCondition, limit: number): Transaction<number> {
  return yield* remove(yield* take(context, condition, limit))
}

interface Taken {
  partition: Partition
  letters: { id: number; bytes: number }[]
}

/** Locks the partitions of the first dead letters that match, then reads which of these are still there. */
function* take(context: Context, condition: DeadLetterCondition, limit: number): Transaction<Taken[]> {
  const { where, params } = conditionsOf(condition)
  const found = yield* rows<{ id: number; partition_id: number }>(
    `SELECT dead_letters.id, partition_id ${FROM} WHERE ${where} ORDER BY dead_letters.id LIMIT ?`,
    ...params,
    limit
  )
  if (found.length === 0) return []
  const partitionIds = [...new Set(found.map(({ partition_id }) => partition_id))]
  const partitions = yield* lockPartitions(context, `id IN (${marks(partitionIds)})`, ...partitionIds)
  const present = yield* rows<{ id: number; partition_id: number; bytes: number }>(
    `SELECT id, partition_id, bytes FROM dead_letters
      WHERE partition_id IN (${marks(partitionIds)}) AND id IN (${marks(found)})`,
    ...partitionIds,
    ...found.map(({ id }) => id)
  )
  return partitions.map((partition) => ({
    partition,
    letters: present.filter((letter) => letter.partition_id === partition.id)
  }))
}

/** Deletes dead letters, and saves their partitions. */
function* remove(dead: Taken[], columns?: Parameters<typeof save>[1]): Transaction<number> {
  for (const { partition, letters } of dead) {
    yield* write(
      `DELETE FROM dead_letters WHERE partition_id = ? AND id IN (${marks(letters)})`,
      partition.id,
      ...letters.map(({ id }) => id)
    )
    add(partition, { dead: -letters.length, dead_bytes: -bytesOf(letters) })
  }
  yield* save(
    dead.map(({ partition }) => partition),
    columns
  )
  return dead.reduce((total, { letters }) => total + letters.length, 0)
}

function conditionsOf(condition: DeadLetterCondition): { where: string; params: Param[] } {
  const { where, params } = whereOf({ fingerprint: condition.fingerprint })
  const conditions = [where]
  const also = (sql: string, ...values: (Param | undefined)[]) => {
    if (values.some((value) => value === undefined)) return
    conditions.push(sql)
    params.push(...(values as Param[]))
  }
  if (condition.ids) also(`dead_letters.id IN (${marks([0, ...condition.ids])})`, 0, ...condition.ids)
  also('reason = ?', condition.reason)
  also('type = ?', condition.type)
  also('message_id = ?', condition.messageId)
  also('died_at >= ?', condition.since)
  also('died_at < ?', condition.until)
  also('dead_letters.id < ?', condition.before)
  if (condition.isEvent !== undefined) also(`type ${condition.isEvent ? '<>' : '='} 'rejected'`)
  return { where: conditions.join(' AND '), params }
}

export const transactions = { listDead, countDead, showDead, replaceDead, retryDead, purgeDead }
