import type { Ack, Block, BlockedKey, DeadReason, EventName, Known, Lease, QueuedEvent } from '../types'
import { lockLease, lockPartitions } from './partitions'
import { insertNew, marks, pieces, replace, row, rows, sum, write } from './sql'
import type { Context, Row, Transaction } from './sql'

/** Most events put back into the queue at once because their time has come. */
const MAX_REQUEUED = 1_000
/** Event names that are counted for one partition; those that come later are counted as one. */
const MAX_EVENT_NAMES = 1_000
const OTHER_NAMES = '(other names)'

interface EventRow extends Row {
  id: number
  body: string
  arrived_at: number
  attempts: number
  first_failed_at: number | null
  firing: number
}

/** With the event as JSON. */
type StoredEvent = Omit<QueuedEvent, 'event'> & { body: string }

/** The first events of a partition that are not deferred, up to a number of rows and bytes (at least one). Undefined: lease lost. */
function* head(
  context: Context,
  lease: Lease,
  size: { rows: number; bytes: number }
): Transaction<{ events: StoredEvent[]; complete: boolean } | undefined> {
  const partition = yield* lockLease(context, lease)
  if (!partition) return undefined
  const { id } = partition
  const ripe = yield* rows<{ id: number }>(
    'SELECT id FROM events WHERE partition_id = ? AND deferred_until <= ? ORDER BY deferred_until LIMIT ?',
    id,
    context.now,
    MAX_REQUEUED
  )
  yield* putBack(
    id,
    ripe.map((event) => event.id)
  )

  const fits = partition.events <= size.rows && partition.bytes <= size.bytes
  const limit = fits ? size.rows : yield* rowsWithin(id, size)
  const events = yield* rows<EventRow>(
    `SELECT id, body, arrived_at, attempts, first_failed_at, firing FROM events
      WHERE partition_id = ? AND deferred_until IS NULL ORDER BY id LIMIT ?`,
    id,
    limit + 1
  )
  return { events: events.slice(0, limit).map(toStoredEvent), complete: events.length <= limit }
}

/** How many of the first events fit into so many bytes. */
function* rowsWithin(id: number, size: { rows: number; bytes: number }): Transaction<number> {
  const sizes = yield* rows<{ bytes: number }>(
    'SELECT bytes FROM events WHERE partition_id = ? AND deferred_until IS NULL ORDER BY id LIMIT ?',
    id,
    size.rows
  )
  let count = 0
  for (let bytes = 0; count < sizes.length; count++) {
    bytes += sizes[count].bytes
    if (bytes > size.bytes) break
  }
  return Math.max(count, 1)
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

/** What the partition knows about users, by their keys. */
function* lookUp(_context: Context, { partitionId }: Lease, keys: string[]): Transaction<Known> {
  const known: Known = { emails: new Map(), contactIds: new Map(), traits: new Map(), blocked: [] }
  for (const some of pieces(keys)) {
    const where = `partition_id = ? AND key IN (${marks(some)})`
    const emails = yield* rows<{ key: string; email: string }>(
      `SELECT key, email FROM identity_links WHERE ${where} AND seen_at >= 0`,
      partitionId,
      ...some
    )
    for (const { key, email } of emails) known.emails.set(key, email)
    const contacts = yield* rows<{ key: string; contact_id: string }>(
      `SELECT key, contact_id FROM contact_ids WHERE ${where}`,
      partitionId,
      ...some
    )
    for (const { key, contact_id } of contacts) known.contactIds.set(key, contact_id)
    const traits = yield* rows<{ key: string; names: string }>(
      `SELECT key, names FROM live_traits WHERE ${where}`,
      partitionId,
      ...some
    )
    for (const { key, names } of traits) known.traits.set(key, JSON.parse(names) as string[])
    const blocked = yield* rows<{ key: string; blocks: Block; first: number }>(
      `SELECT key, blocks, MIN(event_id) AS first FROM blocked_keys WHERE ${where} GROUP BY key, blocks`,
      partitionId,
      ...some
    )
    known.blocked.push(...(blocked as BlockedKey[]))
  }
  return known
}

/** What EmailSendX last said about event names. */
function* lookUpNames(_context: Context, { partitionId }: Lease, names: string[]): Transaction<Map<string, EventName>> {
  const found = yield* rows<{ name: string; asked_at: number; matches: number }>(
    `SELECT name, asked_at, matches FROM event_names WHERE partition_id = ? AND name IN (${marks(names)})`,
    partitionId,
    ...names
  )
  return new Map(found.map(({ name, asked_at, matches }) => [name, { askedAt: asked_at, matches }]))
}

/** Writes down that an event is about to be fired. False: lease lost, it must not be. */
function* markFiring({ dialect }: Context, { partitionId, token }: Lease, id: number): Transaction<boolean> {
  const marked = yield* write(
    `UPDATE events SET firing = 1 FROM
      (SELECT id FROM partitions WHERE id = ? AND token = ? AND worker IS NOT NULL ${dialect.lock}) AS leased
      WHERE events.partition_id = leased.id AND events.id = ?`,
    partitionId,
    token,
    id
  )
  return marked > 0
}

/** Writes down what became of events. @returns how many others are back in the queue for it; undefined: lease lost. */
function* ack(context: Context, lease: Lease, what: Ack): Transaction<{ requeued: number } | undefined> {
  const partition = yield* lockLease(context, lease)
  if (!partition) return undefined
  const { now } = context
  const { id } = partition
  const {
    failed = [],
    delivered = [],
    dead = [],
    deferred = [],
    links = [],
    contacts = [],
    traits = [],
    fired = []
  } = what

  for (const ids of pieces(failed)) {
    yield* write(
      `UPDATE events SET attempts = attempts + 1, first_failed_at = COALESCE(first_failed_at, ?), firing = 0
        WHERE partition_id = ? AND id IN (${marks(ids)})`,
      now,
      id,
      ...ids
    )
  }
  const change = { events: 0, bytes: 0, delivered: 0, dead: 0, dead_bytes: 0, links: 0 }
  for (const { ids, reason, detail } of dead) {
    const buried = yield* bury(id, ids, reason, detail, now)
    change.events -= buried.count
    change.bytes -= buried.bytes
    change.dead += buried.count
    change.dead_bytes += buried.bytes
  }
  const removed = yield* remove(id, delivered)
  change.events -= removed.count
  change.delivered += removed.count
  change.bytes -= removed.bytes

  for (const event of deferred) {
    yield* write(
      'UPDATE events SET deferred_for = ?, deferred_until = ?, firing = 0 WHERE id = ? AND partition_id = ?',
      event.for,
      event.until,
      event.id,
      id
    )
  }
  yield* insertNew(
    'blocked_keys',
    ['partition_id', 'key', 'event_id', 'blocks'],
    deferred.flatMap(({ id: eventId, keys, blocks }) => keys.map((key) => [id, key, eventId, blocks])),
    ['partition_id', 'key', 'event_id']
  )
  change.links += yield* link(id, links, now)
  yield* noteContacts(id, contacts, now)
  yield* replace(
    'live_traits',
    ['partition_id', 'key', 'names', 'seen_at'],
    traits.map(({ key, names }) => [id, key, JSON.stringify(names), now]),
    ['partition_id', 'key']
  )
  yield* noteFired(id, fired, now)
  if (Object.values(change).some((by) => by !== 0)) {
    yield* write(
      'UPDATE partitions SET events = ?, bytes = ?, delivered = ?, dead = ?, dead_bytes = ?, links = ? WHERE id = ?',
      partition.events + change.events,
      partition.bytes + change.bytes,
      partition.delivered + change.delivered,
      partition.dead + change.dead,
      partition.dead_bytes + change.dead_bytes,
      partition.links + change.links,
      id
    )
  }
  return { requeued: yield* requeue(id, what) }
}

/** Remembers the emails of ids. @returns how many ids are new. */
function* link(partitionId: number, links: NonNullable<Ack['links']>, now: number): Transaction<number> {
  const byKey = new Map(links.map((link) => [link.key, link]))
  let known = 0
  for (const keys of pieces([...byKey.keys()])) {
    const counted = yield* row<{ count: number }>(
      `SELECT COUNT(*) AS count FROM identity_links WHERE partition_id = ? AND key IN (${marks(keys)})`,
      partitionId,
      ...keys
    )
    known += counted?.count ?? 0
  }
  yield* replace(
    'identity_links',
    ['partition_id', 'key', 'email', 'seen_at'],
    [...byKey.values()].map(({ key, email, seenAt = now }) => [partitionId, key, email, seenAt]),
    ['partition_id', 'key']
  )
  return byKey.size - known
}

function* noteContacts(
  partitionId: number,
  contacts: { key: string; contactId?: string }[],
  now: number
): Transaction<void> {
  const ids = new Map(contacts.map(({ key, contactId }) => [key, contactId]))
  const gone = [...ids.keys()].filter((key) => ids.get(key) === undefined)
  if (gone.length > 0) {
    yield* write(`DELETE FROM contact_ids WHERE partition_id = ? AND key IN (${marks(gone)})`, partitionId, ...gone)
  }
  yield* replace(
    'contact_ids',
    ['partition_id', 'key', 'contact_id', 'seen_at'],
    [...ids].flatMap(([key, contactId]) => (contactId === undefined ? [] : [[partitionId, key, contactId, now]])),
    ['partition_id', 'key']
  )
}

/** Notes the ids of contacts that were learned apart from any event. */
function* noteContactIds(
  context: Context,
  partitionId: number,
  contacts: { key: string; contactId: string }[],
  now: number
): Transaction<void> {
  const [partition] = yield* lockPartitions(context, 'id = ?', partitionId)
  if (partition) yield* noteContacts(partitionId, contacts, now)
}

/** Counts what was fired, and what was not because nothing waits for it, by the names of the events. */
function* noteFired(partitionId: number, fired: NonNullable<Ack['fired']>, now: number): Transaction<void> {
  if (fired.length === 0) return
  const names = [...new Set(fired.map(({ name }) => name))]
  const known = yield* rows<{
    name: string
    calls: number
    matched: number
    skipped: number
    asked_at: number
    matches: number
  }>(
    `SELECT name, calls, matched, skipped, asked_at, matches FROM event_names
      WHERE partition_id = ? AND name IN (${marks(names)}, ?)`,
    partitionId,
    ...names,
    OTHER_NAMES
  )
  const counts = new Map(known.map((count) => [count.name, count]))
  const isNew = names.some((name) => !counts.has(name))
  const all = isNew
    ? yield* row<{ count: number }>('SELECT COUNT(*) AS count FROM event_names WHERE partition_id = ?', partitionId)
    : undefined
  let room = MAX_EVENT_NAMES - (all?.count ?? 0)
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
  yield* replace(
    'event_names',
    ['partition_id', 'name', 'calls', 'matched', 'skipped', 'asked_at', 'matches'],
    [...counts.values()].map(({ name, calls, matched, skipped, asked_at, matches }) => [
      ...[partitionId, name, calls, matched, skipped, asked_at, matches]
    ]),
    ['partition_id', 'name']
  )
}

function noCalls(name: string) {
  return { name, calls: 0, matched: 0, skipped: 0, asked_at: 0, matches: 0 }
}

function* requeue(
  partitionId: number,
  { requeue: all = [], requeueFirst = [], requeueIdentifies = [] }: Ack
): Transaction<number> {
  const ids = new Set<number>()
  const find = function* (keys: string[], select: string, rest = ''): Transaction<void> {
    for (const some of pieces(keys)) {
      const found = yield* rows<{ id: number }>(
        `SELECT ${select} AS id FROM blocked_keys
          JOIN events ON events.partition_id = blocked_keys.partition_id AND events.id = event_id
          WHERE blocked_keys.partition_id = ? AND key IN (${marks(some)}) ${rest}`,
        partitionId,
        ...some
      )
      for (const { id } of found) ids.add(id)
    }
  }
  yield* find(requeueFirst, 'MIN(event_id)', 'GROUP BY key')
  if (ids.size > 0) {
    // Those that wait for an email of their own are not waiting for their turn.
    const unready = yield* rows<{ id: number }>(
      `SELECT id FROM events WHERE partition_id = ? AND id IN (${marks([...ids])}) AND deferred_for = 'email'`,
      partitionId,
      ...ids
    )
    for (const { id } of unready) ids.delete(id)
  }
  yield* find(all, 'event_id')
  yield* find(requeueIdentifies, 'event_id', `AND type = 'identify' AND deferred_for <> 'retry'`)
  yield* putBack(partitionId, [...ids])
  return ids.size
}

function* putBack(partitionId: number, deferred: number[]): Transaction<void> {
  for (const ids of pieces(deferred)) {
    yield* write(
      `UPDATE events SET deferred_for = NULL, deferred_until = NULL WHERE partition_id = ? AND id IN (${marks(ids)})`,
      partitionId,
      ...ids
    )
    yield* unblock(partitionId, ids)
  }
}

function* unblock(partitionId: number, ids: number[]): Transaction<void> {
  yield* write(`DELETE FROM blocked_keys WHERE partition_id = ? AND event_id IN (${marks(ids)})`, partitionId, ...ids)
}

interface Gone {
  count: number
  bytes: number
}

/** Takes events out of a partition; its counts are the caller's to change. */
function* remove(partitionId: number, events: number[]): Transaction<Gone> {
  const gone: Gone = { count: 0, bytes: 0 }
  for (const ids of pieces(events)) {
    const removed = yield* rows<{ bytes: number }>(
      `DELETE FROM events WHERE partition_id = ? AND id IN (${marks(ids)}) RETURNING bytes`,
      partitionId,
      ...ids
    )
    gone.count += removed.length
    gone.bytes += sum(removed.map(({ bytes }) => bytes))
  }
  return gone
}

/** Makes events dead letters. The partition must be locked; its counts are the caller's to change. */
export function* bury(
  partitionId: number,
  events: number[],
  reason: DeadReason,
  detail: string,
  now: number
): Transaction<Gone> {
  for (const ids of pieces(events)) {
    yield* write(
      `INSERT INTO dead_letters
        (partition_id, message_id, type, bytes, arrived_at, attempts, first_failed_at, died_at, reason, detail, body)
        SELECT partition_id, message_id, type, bytes, arrived_at, attempts, first_failed_at,
          CAST(? AS BIGINT), CAST(? AS TEXT), CAST(? AS TEXT), body
        FROM events WHERE partition_id = ? AND id IN (${marks(ids)}) ORDER BY id`,
      now,
      reason,
      detail,
      partitionId,
      ...ids
    )
    yield* unblock(partitionId, ids)
  }
  return yield* remove(partitionId, events)
}

export const transactions = { head, lookUp, lookUpNames, markFiring, ack, noteContactIds }
