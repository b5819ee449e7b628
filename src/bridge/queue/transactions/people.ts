import { emailKey, messageKey } from '../keys'
import { concerns, isDeleteRequest, toBeDeleted } from '../person'
import type { Person } from '../person'
import { forgetMessageIds } from './message-ids'
import { add, lockPartitions, save, whereOf } from './partitions'
import type { PartitionCondition } from './partitions'
import { bytesOf, marks, rows, write } from './sql'
import type { Context, Transaction } from './sql'

/** Partitions with these conditions. */
function* partitionIds(_context: Context, condition: PartitionCondition): Transaction<number[]> {
  const { where, params } = whereOf(condition)
  return (yield* rows<{ id: number }>(`SELECT id FROM partitions WHERE ${where} ORDER BY id`, ...params)).map(
    ({ id }) => id
  )
}

/** The person with all that the partition has linked to them: the addresses of their ids, and the ids of their addresses. */
function* whoIs(_context: Context, partitionId: number, person: Person): Transaction<Person> {
  const linked = yield* rows<{ email: string }>(
    `SELECT DISTINCT email FROM identity_links WHERE partition_id = ? AND key IN (${marks([0, ...person.keys])})`,
    partitionId,
    '',
    ...person.keys
  )
  const emails = [...new Set([...person.emails, ...linked.map(({ email }) => email)])]
  const ids = yield* rows<{ key: string }>(
    `SELECT key FROM identity_links WHERE partition_id = ? AND email IN (${marks([0, ...emails])})`,
    partitionId,
    '',
    ...emails
  )
  const keys = new Set([...person.keys, ...emails.map(emailKey), ...ids.map(({ key }) => key)])
  return { ...person, emails, keys: [...keys] }
}

/** Forgets the addresses and ids of a person seen up to a time, and their contact. @returns how many ids. */
function* forgetIdentity(
  context: Context,
  partitionId: number,
  { emails, keys }: Person,
  until: number
): Transaction<number> {
  const [partition] = yield* lockPartitions(context, 'id = ?', partitionId)
  if (!partition) return 0
  const forgotten = yield* write(
    `DELETE FROM identity_links WHERE partition_id = ? AND seen_at <= ?
      AND (key IN (${marks([0, ...keys])}) OR email IN (${marks([0, ...emails])}))`,
    partitionId,
    until,
    ...['', ...keys, '', ...emails]
  )
  for (const table of ['contact_ids', 'live_traits']) {
    yield* write(
      `DELETE FROM ${table} WHERE partition_id = ? AND key IN (${marks([0, ...keys])})`,
      partitionId,
      '',
      ...keys
    )
  }
  add(partition, { links: -forgotten })
  yield* save([partition])
  return forgotten
}

export interface Scan {
  /** How many were erased. */
  erased: number
  /** Where to go on; undefined: this was the end. */
  after?: number
}

/**
 * What there may be of a person: waiting events; dead letters; and of these the requests to delete the person, of which is left
 * that they were carried out.
 */
export type Trace = 'events' | 'letters' | 'requests'

/** Erases what there is of a person and arrived up to a time, among so many rows after an id. */
function* forgetTraces(
  context: Context,
  trace: Trace,
  partitionId: number,
  person: Person,
  until: number,
  after: number,
  limit: number
): Transaction<Scan> {
  const [partition] = yield* lockPartitions(context, 'id = ?', partitionId)
  if (!partition) return { erased: 0 }
  const table = trace === 'events' ? 'events' : 'dead_letters'
  const { found, next } = yield* find(table, partitionId, person, until, after, limit)
  const theirs = trace === 'events' ? found : found.filter(({ isRequest }) => isRequest === (trace === 'requests'))
  if (theirs.length === 0) return { erased: 0, after: next }

  const ids = theirs.map(({ id }) => id)
  if (trace === 'requests') yield* redact(partitionId, ids)
  else yield* write(`DELETE FROM ${table} WHERE partition_id = ? AND id IN (${marks(ids)})`, partitionId, ...ids)
  if (trace === 'events') {
    yield* write(`DELETE FROM blocked_keys WHERE partition_id = ? AND event_id IN (${marks(ids)})`, partitionId, ...ids)
  }
  const forgotten = yield* forgetMessages(partitionId, theirs)
  const bytes = bytesOf(theirs)
  add(partition, {
    message_ids: -forgotten,
    ...(trace === 'events' && { events: -ids.length, bytes: -bytes }),
    ...(trace === 'letters' && { dead: -ids.length, dead_bytes: -bytes })
  })
  yield* save([partition])
  return { erased: ids.length, after: next }
}

/** Takes the name out of requests to delete somebody. */
function* redact(partitionId: number, ids: number[]): Transaction<void> {
  yield* write(
    `UPDATE dead_letters SET message_id = ?, body = ? WHERE partition_id = ? AND id IN (${marks(ids)})`,
    ...[FORGOTTEN, JSON.stringify({ type: 'delete', forgotten: true }), partitionId, ...ids]
  )
}

interface Found {
  id: number
  message_id: string
  bytes: number
  isRequest: boolean
}

function* find(
  table: 'events' | 'dead_letters',
  partitionId: number,
  person: Person,
  until: number,
  after: number,
  limit: number
): Transaction<{ found: Found[]; next?: number }> {
  const all = yield* rows<{ id: number; message_id: string; bytes: number; body: string; arrived_at: number }>(
    `SELECT id, message_id, bytes, body, arrived_at FROM ${table} WHERE partition_id = ? AND id > ? ORDER BY id LIMIT ?`,
    partitionId,
    after,
    limit
  )
  const found = all.flatMap(({ id, message_id, bytes, body, arrived_at }) => {
    const content = JSON.parse(body) as unknown
    const isTheirs = arrived_at <= until && concerns(person, [content, message_id])
    return isTheirs ? [{ id, message_id, bytes, isRequest: isDeleteRequest(content) }] : []
  })
  return { found, next: all.length < limit ? undefined : all[all.length - 1].id }
}

function* forgetMessages(partitionId: number, theirs: Found[]): Transaction<number> {
  const keys = theirs.flatMap(({ message_id }) => [
    messageKey(message_id, 'event'),
    messageKey(message_id, 'rejected'),
    message_id
  ])
  return yield* forgetMessageIds(partitionId, keys)
}

export interface DeleteRequest {
  partitionId: number
  person: Person
  arrivedAt: number
}

/** Requests to delete somebody that have not been carried out, among so many dead letters after an id. */
function* deleteRequests(
  _context: Context,
  after: number,
  limit: number
): Transaction<{ requests: DeleteRequest[]; after?: number }> {
  const found = yield* rows<{ id: number; partition_id: number; arrived_at: number; body: string | null }>(
    `SELECT id, partition_id, arrived_at,
      CASE WHEN type = 'rejected' AND message_id <> ? AND LOWER(body) LIKE '%delete%' THEN body END AS body
      FROM dead_letters WHERE id > ? ORDER BY id LIMIT ?`,
    FORGOTTEN,
    after,
    limit
  )
  const requests = found.flatMap(({ partition_id, arrived_at, body }) => {
    const person = body === null ? undefined : toBeDeleted(JSON.parse(body))
    return person ? [{ partitionId: partition_id, person, arrivedAt: arrived_at }] : []
  })
  return { requests, after: found.length < limit ? undefined : found[found.length - 1].id }
}

/** The message id of a request to delete somebody once that is done. */
const FORGOTTEN = 'forgotten'

export const transactions = {
  deleteRequests,
  partitionIds,
  whoIs,
  forgetIdentity,
  forgetTraces
}
