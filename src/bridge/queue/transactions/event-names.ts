import type { Ack, EventName, EventNameReport, Lease } from '../types'
import { nameOf, whereOf } from './partitions'
import type { Partition, PartitionCondition } from './partitions'
import { byPartition, given, isGiven, marks, replace, rows } from './sql'
import type { Context, Transaction } from './sql'

/** Event names that are counted for one partition; those that come later are counted as one. */
const MAX_EVENT_NAMES = 1_000
const OTHER_NAMES = '(other names)'

/** What EmailSendX last said about event names. */
function* lookUpNames(_context: Context, { partitionId }: Lease, names: string[]): Transaction<Map<string, EventName>> {
  const found = yield* rows<{ name: string; asked_at: number; matches: number }>(
    `SELECT name, asked_at, matches FROM event_names WHERE partition_id = ? AND name IN (${marks(names)})`,
    partitionId,
    ...names
  )
  return new Map(found.map(({ name, asked_at, matches }) => [name, { askedAt: asked_at, matches }]))
}

type Count = { name: string; calls: number; matched: number; skipped: number; asked_at: number; matches: number }

/** Counts what was fired, and what was not because nothing waits for it, by the names of the events. */
export function* noteFired(context: Context, acks: { partition: Partition; ack: Ack }[]): Transaction<void> {
  const fired = acks.flatMap(({ partition: { id }, ack }) => (ack.fired?.length ? [{ id, names: ack.fired }] : []))
  if (fired.length === 0) return
  const known = byPartition(
    yield* rows<{ partition_id: number } & Count>(
      `SELECT partition_id, name, calls, matched, skipped, asked_at, matches FROM event_names
        WHERE ${isGiven(context, { partition_id: 'BIGINT', name: 'TEXT' })}`,
      given(fired.flatMap(({ id, names }) => [...names.map(({ name }) => [id, name]), [id, OTHER_NAMES]]))
    )
  )
  const room = yield* roomForNames(
    fired.filter(({ id, names }) => {
      const counted = new Set(known.get(id)?.map(({ name }) => name))
      return names.some(({ name }) => !counted.has(name))
    })
  )
  yield* replace(
    'event_names',
    ['partition_id', 'name', 'calls', 'matched', 'skipped', 'asked_at', 'matches'],
    fired.flatMap(({ id, names }) =>
      counted(names, known.get(id) ?? [], room.get(id) ?? 0, context.now).map((count) => [
        ...[id, count.name, count.calls, count.matched, count.skipped, count.asked_at, count.matches]
      ])
    ),
    ['partition_id', 'name']
  )
}

/** How many more names may be counted, for each partition. */
function* roomForNames(fired: { id: number }[]): Transaction<Map<number, number>> {
  if (fired.length === 0) return new Map()
  const ids = [...new Set(fired.map(({ id }) => id))]
  const counts = yield* rows<{ partition_id: number; count: number }>(
    `SELECT partition_id, COUNT(*) AS count FROM event_names WHERE partition_id IN (${marks(
      ids
    )}) GROUP BY partition_id`,
    ...ids
  )
  const known = new Map(counts.map(({ partition_id, count }) => [partition_id, count]))
  return new Map(ids.map((id) => [id, MAX_EVENT_NAMES - (known.get(id) ?? 0)]))
}

/** The counts of names after what was fired. */
function counted(fired: NonNullable<Ack['fired']>, known: Count[], room: number, now: number): Count[] {
  const counts = new Map(known.map((count) => [count.name, count]))
  for (const { name, matches, skipped } of fired) {
    if (!counts.has(name) && room-- <= 0 && !counts.has(OTHER_NAMES)) counts.set(OTHER_NAMES, noCalls(OTHER_NAMES))
    const count = counts.get(name) ?? counts.get(OTHER_NAMES) ?? noCalls(name)
    counts.set(count.name, count)
    if (skipped) {
      count.skipped++
    } else {
      count.calls++
      count.matched += matches ?? 0
      if (matches !== undefined) Object.assign(count, { matches, asked_at: now })
    }
  }
  return [...counts.values()]
}

function noCalls(name: string): Count {
  return { name, calls: 0, matched: 0, skipped: 0, asked_at: 0, matches: 0 }
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

export const transactions = { lookUpNames, reportNames }
