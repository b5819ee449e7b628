import type { Ack, Block, Known, Lease, QueuedEvent } from '../types'
import { noteFired } from './event-names'
import { findLeased, lockLeased, withPartition } from './leases'
import { add, lockPartitions, save } from './partitions'
import type { Counts, Partition } from './partitions'
import { byPartition, each, given, insertNew, isGiven, replace, rows, write } from './sql'
import type { Context, Param, Row, Transaction } from './sql'

/*
 * What is done for a leased partition. Many are worked on at a time, so each transaction takes what is asked for all of them,
 * with a statement for all and a commit for all, and answers each.
 */

/** Most events put back into the queue at once because their time has come. */
const MAX_REQUEUED = 1_000

interface EventRow extends EventId {
  body: string
  arrived_at: number
  attempts: number
  first_failed_at: number | null
  firing: number
}

/** With the event as JSON. */
type StoredEvent = Omit<QueuedEvent, 'event'> & { body: string }

/** Rows that stand for events, and for what users go by. */
const EVENTS = { partition_id: 'BIGINT', id: 'BIGINT' } as const
const KEYS = { partition_id: 'BIGINT', key: 'TEXT' } as const

interface EventId extends Row {
  partition_id: number
  id: number
}

/** The first events of partitions that are not deferred, up to a number of rows and bytes (at least one). Undefined: lease lost. */
function* head(
  context: Context,
  asked: { lease: Lease; size: { rows: number; bytes: number } }[]
): Transaction<({ events: StoredEvent[]; complete: boolean } | undefined)[]> {
  let partitions = yield* findLeased(asked)
  const ripe = yield* each<EventId>(
    'SELECT partition_id, id FROM events WHERE partition_id = ? AND deferred_until <= ? ORDER BY deferred_until LIMIT ?',
    partitions.flatMap((partition) => (partition ? [[partition.id, context.now, MAX_REQUEUED]] : []))
  )
  if (ripe.length > 0) {
    // Others may have taken one of them over since.
    partitions = yield* lockLeased(context, asked)
    const leased = new Set(partitions.map((partition) => partition?.id))
    yield* putBack(
      context,
      ripe.filter((event) => leased.has(event.partition_id))
    )
  }
  const limits = yield* limitsOf(withPartition(asked, partitions))
  const found = yield* each<EventRow>(
    `SELECT partition_id, id, body, arrived_at, attempts, first_failed_at, firing FROM events
      WHERE partition_id = ? AND deferred_until IS NULL ORDER BY id LIMIT ?`,
    [...limits].map(([id, limit]) => [id, limit + 1])
  )
  const events = byPartition(found)
  return partitions.map((partition) => {
    if (!partition) return undefined
    const all = (events.get(partition.id) ?? []).sort((one, other) => one.id - other.id)
    const limit = limits.get(partition.id) ?? 0
    return { events: all.slice(0, limit).map(toStoredEvent), complete: all.length <= limit }
  })
}

/** How many of the first events of each partition are to be read. */
function* limitsOf(
  asked: { partition: Partition; size: { rows: number; bytes: number } }[]
): Transaction<Map<number, number>> {
  const limits = new Map(asked.map(({ partition, size }) => [partition.id, size.rows]))
  const large = asked.filter(({ partition, size }) => partition.events > size.rows || partition.bytes > size.bytes)
  const sizes = byPartition(
    yield* each<{ partition_id: number; bytes: number }>(
      'SELECT partition_id, bytes FROM events WHERE partition_id = ? AND deferred_until IS NULL ORDER BY id LIMIT ?',
      large.map(({ partition, size }) => [partition.id, size.rows])
    )
  )
  for (const { partition, size } of large)
    limits.set(partition.id, rowsWithin(sizes.get(partition.id) ?? [], size.bytes))
  return limits
}

/** How many rows fit into so many bytes. */
function rowsWithin(sizes: { bytes: number }[], bytes: number): number {
  let total = 0
  const over = sizes.findIndex((row) => (total += row.bytes) > bytes)
  return Math.max(1, over < 0 ? sizes.length : over)
}

function toStoredEvent(event: EventRow): StoredEvent {
  return {
    id: event.id,
    body: event.body,
    arrivedAt: event.arrived_at,
    attempts: event.attempts,
    firstFailedAt: event.first_failed_at ?? undefined,
    firing: event.firing === 1
  }
}

/** What the partitions know about users, by their keys. */
function* lookUp(context: Context, asked: { lease: Lease; keys: string[] }[]): Transaction<Known[]> {
  const known = new Map<number, Known>()
  for (const { lease } of asked) {
    known.set(lease.partitionId, { emails: new Map(), contactIds: new Map(), traits: new Map(), blocked: [] })
  }
  const of = (found: { partition_id: number }) => known.get(found.partition_id) as Known
  const keys = given(asked.flatMap(({ lease, keys }) => keys.map((key) => [lease.partitionId, key])))
  const where = isGiven(context, KEYS)
  const find = (table: string, column: string, rest = '') =>
    rows<{ partition_id: number; key: string; value: string }>(
      `SELECT partition_id, key, ${column} AS value FROM ${table} WHERE ${where} ${rest}`,
      keys
    )
  for (const found of yield* find('identity_links', 'email', 'AND seen_at >= 0')) {
    of(found).emails.set(found.key, found.value)
  }
  for (const found of yield* find('contact_ids', 'contact_id')) of(found).contactIds.set(found.key, found.value)
  for (const found of yield* find('live_traits', 'names')) {
    of(found).traits.set(found.key, JSON.parse(found.value) as string[])
  }
  for (const found of yield* rows<{ partition_id: number; key: string; blocks: Block; first: number }>(
    `SELECT blocked_keys.partition_id AS partition_id, blocked_keys.key AS key, blocks, MIN(event_id) AS first
      FROM ${context.dialect.given(KEYS)} AS given
      JOIN blocked_keys ON blocked_keys.partition_id = given.partition_id AND blocked_keys.key = given.key
      GROUP BY blocked_keys.partition_id, blocked_keys.key, blocks`,
    keys
  )) {
    const { key, blocks, first } = found
    of(found).blocked.push({ key, blocks, first })
  }
  return asked.map(({ lease }) => known.get(lease.partitionId) as Known)
}

/** Writes down that events are about to be fired. False: lease lost, the event must not be. */
function* markFiring(context: Context, asked: { lease: Lease; eventId: number }[]): Transaction<boolean[]> {
  const partitions = yield* lockLeased(context, asked)
  const marked = yield* rows<EventId>(
    `UPDATE events SET firing = 1 WHERE ${isGiven(context, EVENTS)} RETURNING partition_id, id`,
    given(asked.flatMap(({ eventId }, index) => idsIn(partitions[index], [eventId])))
  )
  const events = new Set(marked.map(({ partition_id, id }) => `${partition_id} ${id}`))
  return asked.map(({ lease, eventId }) => events.has(`${lease.partitionId} ${eventId}`))
}

function idsIn(partition: Partition | undefined, ids: number[]): Param[][] {
  return partition ? ids.map((id) => [partition.id, id]) : []
}

/** Writes down what became of events. @returns how many others are back in the queue for it; undefined: lease lost. */
function* ack(
  context: Context,
  asked: { lease: Lease; ack: Ack }[]
): Transaction<({ requeued: number } | undefined)[]> {
  const { dialect, now } = context
  const partitions = yield* lockLeased(context, asked)
  const acks = withPartition(asked, partitions)
  /** The rows that come of all acks, each with its partition first. */
  const all = (rowsOf: (ack: Ack) => Param[][]) =>
    acks.flatMap(({ partition, ack }) => rowsOf(ack).map((row) => [partition.id, ...row]))
  const byId = new Map(acks.map(({ partition }) => [partition.id, partition]))
  const changed = new Set<Partition>()
  const change = (partitionId: number, by: Partial<Counts>) => {
    const partition = byId.get(partitionId) as Partition
    add(partition, by)
    changed.add(partition)
  }

  const failed = all(({ failed = [] }) => failed.map((id) => [id]))
  if (failed.length > 0) {
    yield* write(
      `UPDATE events SET attempts = attempts + 1, first_failed_at = COALESCE(first_failed_at, ?), firing = 0
        WHERE ${isGiven(context, EVENTS)}`,
      now,
      given(failed)
    )
  }
  const buried = yield* bury(
    context,
    all(({ dead = [] }) => dead.flatMap(({ ids, reason, detail }) => ids.map((id) => [id, reason, detail])))
  )
  for (const { partition_id, bytes } of buried) {
    change(partition_id, { events: -1, bytes: -bytes, dead: 1, dead_bytes: bytes })
  }
  const removed = yield* remove(
    context,
    all(({ delivered = [] }) => delivered.map((id) => [id]))
  )
  for (const { partition_id, bytes } of removed) change(partition_id, { events: -1, bytes: -bytes, delivered: 1 })

  const deferred = all(({ deferred = [] }) => deferred.map((event) => [event.id, event.for, event.until]))
  if (deferred.length > 0) {
    const columns = { ...EVENTS, deferred_for: 'TEXT', deferred_until: 'BIGINT' } as const
    yield* write(
      `UPDATE events SET deferred_for = given.deferred_for, deferred_until = given.deferred_until, firing = 0
        FROM ${dialect.given(
          columns
        )} AS given WHERE events.partition_id = given.partition_id AND events.id = given.id`,
      given(deferred)
    )
  }
  yield* insertNew(
    'blocked_keys',
    ['partition_id', 'key', 'event_id', 'blocks'],
    all(({ deferred = [] }) => deferred.flatMap(({ id, keys, blocks }) => keys.map((key) => [key, id, blocks]))),
    ['partition_id', 'key', 'event_id']
  )
  for (const [partitionId, links] of yield* link(
    context,
    all(({ links = [] }) => lastOfEach(links).map(({ key, email, seenAt = now }) => [key, email, seenAt]))
  )) {
    change(partitionId, { links })
  }
  yield* noteContacts(
    context,
    all(({ contacts = [] }) => lastOfEach(contacts).map(({ key, contactId = null }) => [key, contactId, now]))
  )
  yield* replace(
    'live_traits',
    ['partition_id', 'key', 'names', 'seen_at'],
    all(({ traits = [] }) => lastOfEach(traits).map(({ key, names }) => [key, JSON.stringify(names), now])),
    ['partition_id', 'key']
  )
  yield* noteFired(context, acks)
  yield* save(changed)
  const requeued = yield* requeue(context, all)
  return partitions.map((partition) => partition && { requeued: requeued.get(partition.id) ?? 0 })
}

function lastOfEach<Entry extends { key: string }>(entries: Entry[]): Entry[] {
  return [...new Map(entries.map((entry) => [entry.key, entry])).values()]
}

/** Remembers the emails of ids. @returns how many ids of each partition are new. */
function* link(context: Context, links: Param[][]): Transaction<Map<number, number>> {
  const fresh = new Map<number, number>()
  if (links.length === 0) return fresh
  for (const [partitionId] of links as [number][]) fresh.set(partitionId, (fresh.get(partitionId) ?? 0) + 1)
  const known = yield* rows<{ partition_id: number; count: number }>(
    `SELECT partition_id, COUNT(*) AS count FROM identity_links WHERE ${isGiven(context, KEYS)} GROUP BY partition_id`,
    given(links.map(([partitionId, key]) => [partitionId, key]))
  )
  for (const { partition_id, count } of known) fresh.set(partition_id, (fresh.get(partition_id) ?? 0) - count)
  yield* replace('identity_links', ['partition_id', 'key', 'email', 'seen_at'], links, ['partition_id', 'key'])
  return fresh
}

/** Remembers the contacts of addresses, and forgets those that are none any more. */
function* noteContacts(context: Context, contacts: Param[][]): Transaction<void> {
  const isGone = ([, , contactId]: Param[]) => contactId === null
  const gone = contacts.filter(isGone)
  if (gone.length > 0) {
    yield* write(
      `DELETE FROM contact_ids WHERE ${isGiven(context, KEYS)}`,
      given(gone.map(([partitionId, key]) => [partitionId, key]))
    )
  }
  yield* replace(
    'contact_ids',
    ['partition_id', 'key', 'contact_id', 'seen_at'],
    contacts.filter((contact) => !isGone(contact)),
    ['partition_id', 'key']
  )
}

/** Notes the ids of contacts that were learned apart from any event. */
function* noteContactIds(
  context: Context,
  partitionId: number,
  contacts: { key: string; contactId: string }[]
): Transaction<void> {
  const [partition] = yield* lockPartitions(context, 'id = ?', partitionId)
  if (!partition) return
  yield* noteContacts(
    context,
    lastOfEach(contacts).map(({ key, contactId }) => [partitionId, key, contactId, context.now])
  )
}

/** Puts back what waits for what acks name. @returns how many events, for each partition. */
function* requeue(
  context: Context,
  all: (rowsOf: (ack: Ack) => Param[][]) => Param[][]
): Transaction<Map<number, number>> {
  const find = function* (keys: Param[][], select: string, rest = ''): Transaction<EventId[]> {
    if (keys.length === 0) return []
    return yield* rows<EventId>(
      `SELECT blocked_keys.partition_id AS partition_id, ${select} AS id FROM ${context.dialect.given(KEYS)} AS given
        JOIN blocked_keys ON blocked_keys.partition_id = given.partition_id AND blocked_keys.key = given.key
        JOIN events ON events.partition_id = blocked_keys.partition_id AND events.id = event_id ${rest}`,
      given(keys)
    )
  }
  const keysOf = (keys: string[] = []) => keys.map((key) => [key])
  const first = yield* find(
    all(({ requeueFirst }) => keysOf(requeueFirst)),
    'MIN(event_id)',
    'GROUP BY blocked_keys.partition_id, blocked_keys.key'
  )
  // Those that wait for an email of their own are not waiting for their turn.
  const ready =
    first.length === 0
      ? []
      : yield* rows<EventId>(
          `SELECT partition_id, id FROM events WHERE ${isGiven(context, EVENTS)} AND deferred_for <> 'email'`,
          given(idsOf(first))
        )
  const others = yield* find(
    all((ack) => keysOf(ack.requeue)),
    'event_id'
  )
  const identifies = yield* find(
    all(({ requeueIdentifies }) => keysOf(requeueIdentifies)),
    'event_id',
    `WHERE type = 'identify' AND deferred_for <> 'retry'`
  )
  const found = new Map(
    [...ready, ...others, ...identifies].map((event) => [`${event.partition_id} ${event.id}`, event])
  )
  yield* putBack(context, [...found.values()])
  return new Map([...byPartition([...found.values()])].map(([id, events]) => [id, events.length]))
}

function idsOf(events: EventId[]): Param[][] {
  return events.map(({ partition_id, id }) => [partition_id, id])
}

function* putBack(context: Context, deferred: EventId[]): Transaction<void> {
  if (deferred.length === 0) return
  yield* write(
    `UPDATE events SET deferred_for = NULL, deferred_until = NULL WHERE ${isGiven(context, EVENTS)}`,
    given(idsOf(deferred))
  )
  yield* unblock(context, idsOf(deferred))
}

function* unblock(context: Context, events: Param[][]): Transaction<void> {
  yield* write(
    `DELETE FROM blocked_keys WHERE ${isGiven(context, { partition_id: 'BIGINT', event_id: 'BIGINT' })}`,
    given(events)
  )
}

interface Gone extends EventId {
  bytes: number
}

/** Takes events, each given by its partition and id, out of their partitions, whose counts are the caller's to change. */
function* remove(context: Context, events: Param[][]): Transaction<Gone[]> {
  if (events.length === 0) return []
  return yield* rows<Gone>(
    `DELETE FROM events WHERE ${isGiven(context, EVENTS)} RETURNING partition_id, id, bytes`,
    given(events)
  )
}

/**
 * Makes dead letters of events, each given by its partition, its id, the reason and the detail. The partitions must be
 * locked; their counts are the caller's to change.
 */
export function* bury(context: Context, dead: Param[][]): Transaction<Gone[]> {
  if (dead.length === 0) return []
  const columns = { ...EVENTS, reason: 'TEXT', detail: 'TEXT' } as const
  yield* write(
    `INSERT INTO dead_letters
      (partition_id, message_id, type, bytes, arrived_at, attempts, first_failed_at, died_at, reason, detail, body)
      SELECT events.partition_id, message_id, type, bytes, arrived_at, attempts, first_failed_at, CAST(? AS BIGINT),
        given.reason, given.detail, body
      FROM ${context.dialect.given(columns)} AS given
      JOIN events ON events.partition_id = given.partition_id AND events.id = given.id
      ORDER BY events.partition_id, events.id`,
    context.now,
    given(dead)
  )
  const events = dead.map(([partitionId, id]) => [partitionId, id])
  yield* unblock(context, events)
  return yield* remove(context, events)
}

export const transactions = { head, lookUp, markFiring, ack, noteContactIds }
