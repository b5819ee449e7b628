import { migrations } from '../migrations'
import type { QueueStats } from '../types'
import { countMessages } from './message-ids'
import { getMeta, setMeta } from './meta'
import { add, erase, lockPartitions, save } from './partitions'
import { bury } from './runs'
import { byPartition, bytesOf, marks, row, rows, write } from './sql'
import type { Context, Transaction } from './sql'

const DAY_MS = 24 * 60 * 60 * 1000

/**
 * Brings the schema up to date.
 * @returns the version of a store that is newer than this code, which has then touched nothing.
 */
function* migrate({ dialect, now }: Context): Transaction<{ newer?: number; known: number }> {
  if (dialect.migrationLock) yield* write(dialect.migrationLock)
  yield* write('CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY, applied_at BIGINT NOT NULL)')
  const applied = yield* row<{ version: number | null }>('SELECT MAX(version) AS version FROM schema_versions')
  const version = applied?.version ?? 0
  const steps = migrations(dialect, now)
  if (version > steps.length) return { newer: version, known: steps.length }

  for (const [index, statements] of steps.entries()) {
    if (index < version) continue
    for (const statement of statements) yield* write(statement)
    yield* write('INSERT INTO schema_versions (version, applied_at) VALUES (?, ?)', index + 1, now)
  }
  return { known: steps.length }
}

/** Writes something down by its name unless it is there. @returns what stands. */
function* setIfAbsent(_context: Context, name: string, value: string): Transaction<string> {
  yield* write('INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING', name, value)
  return (yield* getMeta(name)) ?? value
}

/** Proves that a commit is possible. */
function* writeProbe({ now }: Context): Transaction<void> {
  yield* setMeta('probed_at', String(now))
}

const SUMS = {
  events: sumOf('events'),
  bytes: sumOf('bytes + dead_bytes'),
  deadLetters: sumOf('dead'),
  partitions: 'COUNT(*)',
  suspendedPartitions: 'COUNT(CASE WHEN succeeded_at IS NOT NULL THEN suspended_at END)',
  unprovenPartitions: `COUNT(CASE WHEN pool = 'unproven' THEN 1 END)`,
  identityLinks: sumOf('links')
}

/** What all partitions have, in sum. */
function* totals(): Transaction<Omit<QueueStats, 'maxBytes'>> {
  const sums = Object.entries(SUMS).map(([name, sql]) => `${sql} AS "${name}"`)
  const [{ oldest, ...all }] = yield* rows<Record<keyof typeof SUMS, number> & { oldest: number | null }>(
    `SELECT ${sums.join(', ')}, MIN(oldest_at) AS oldest FROM partitions`
  )
  const deferred = yield* row<{ count: number }>(
    'SELECT COUNT(*) AS count FROM events WHERE deferred_until IS NOT NULL'
  )
  return {
    ...all,
    deferred: deferred?.count ?? 0,
    messageIds: yield* countMessages(),
    oldestArrivedAt: oldest ?? undefined
  }
}

function sumOf(expression: string): string {
  return `CAST(COALESCE(SUM(${expression}), 0) AS BIGINT)`
}

/** Bytes of all that is kept. */
function* bytesKept(): Transaction<number> {
  const all = yield* row<{ bytes: number }>(`SELECT ${SUMS.bytes} AS bytes FROM partitions`)
  return all?.bytes ?? 0
}

/**
 * Notes the time of pruning. False when the clock went back or leapt by more than two days since the last one: then it may
 * be wrong, and nothing should be deleted on its word until the next time confirms it.
 */
function* mayPrune({ now }: Context): Transaction<boolean> {
  const last = yield* getMeta('pruned_at')
  yield* setMeta('pruned_at', String(now))
  const gap = now - Number(last)
  return gap >= 0 && gap <= 2 * DAY_MS
}

/** Forgets up to `limit` ids of users not seen since a time, with their addresses. @returns how many. */
function* forgetLinks(context: Context, before: number, limit: number): Transaction<number> {
  const oldest = yield* rows<{ partition_id: number; key: string }>(
    'SELECT partition_id, key FROM identity_links WHERE seen_at >= 0 AND seen_at < ? ORDER BY seen_at LIMIT ?',
    before,
    limit
  )
  if (oldest.length === 0) return 0
  const links = byPartition(oldest)
  const partitions = yield* lockPartitions(context, `id IN (${marks([...links])})`, ...links.keys())
  let forgotten = 0
  for (const partition of partitions) {
    const keys = (links.get(partition.id) ?? []).map(({ key }) => key)
    const count = yield* write(
      `DELETE FROM identity_links WHERE partition_id = ? AND key IN (${marks(keys)})`,
      partition.id,
      ...keys
    )
    add(partition, { links: -count })
    forgotten += count
  }
  yield* save(partitions)
  return forgotten
}

/** Forgets up to `limit` contacts not asked for since a time. @returns how many. */
const forgetContacts = (_context: Context, before: number, limit: number) => forgetUnseen('contact_ids', before, limit)

/** Forgets up to `limit` persons' traits not added to since a time. @returns how many persons. */
const forgetTraits = (_context: Context, before: number, limit: number) => forgetUnseen('live_traits', before, limit)

/** The key comes first for SQLite's sake (see isGiven). */
function* forgetUnseen(table: string, before: number, limit: number): Transaction<number> {
  return yield* write(
    `DELETE FROM ${table} WHERE (key, partition_id) IN
      (SELECT key, partition_id FROM ${table} WHERE seen_at < ? ORDER BY seen_at LIMIT ?)`,
    before,
    limit
  )
}

/** Forgets partitions whose key was refused before a time without ever having worked. @returns how many. */
function* forgetRefused({ dialect }: Context, before: number, limit: number): Transaction<number> {
  return yield* forget(
    dialect.lockFree,
    'suspended_at < ? AND suspended_status = 401 AND events = 0 AND dead = 0',
    before,
    limit
  )
}

/** Forgets partitions made before a time whose key never worked and of which nothing is left. @returns how many. */
function* forgetPartitions({ dialect }: Context, before: number, limit: number): Transaction<number> {
  return yield* forget(dialect.lockFree, 'created_at < ? AND events = 0 AND dead = 0', before, limit)
}

function* forget(lock: string, where: string, before: number, limit: number): Transaction<number> {
  const partitions = yield* rows<{ id: number }>(
    `SELECT id FROM partitions WHERE pool = 'unproven' AND worker IS NULL AND ${where} ORDER BY id LIMIT ? ${lock}`,
    before,
    limit
  )
  for (const { id } of partitions) {
    yield* erase(id)
    yield* write('DELETE FROM partitions WHERE id = ?', id)
  }
  return partitions.length
}

/** Makes dead letters of up to `limit` events of one partition that has been suspended since before a time. @returns how many. */
function* burySuspended(context: Context, before: number, limit: number): Transaction<number> {
  const [partition] = yield* lockPartitions(
    context,
    `id = (SELECT MIN(id) FROM partitions WHERE suspended_at < ? AND events > 0 AND worker IS NULL)`,
    before
  )
  if (!partition) return 0
  const events = yield* rows<{ id: number }>(
    'SELECT id FROM events WHERE partition_id = ? ORDER BY id LIMIT ?',
    partition.id,
    limit
  )
  const dead = yield* bury(
    context,
    events.map(({ id }) => [partition.id, id, 'key_refused', partition.suspended_reason ?? ''])
  )
  const count = dead.length
  const bytes = bytesOf(dead)
  add(partition, { events: -count, bytes: -bytes, dead: count, dead_bytes: bytes })
  yield* save([partition])
  return count
}

export const transactions = {
  migrate,
  setIfAbsent,
  writeProbe,
  totals,
  bytesKept,
  mayPrune,
  forgetLinks,
  forgetContacts,
  forgetTraits,
  forgetRefused,
  forgetPartitions,
  burySuspended
}
