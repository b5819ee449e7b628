import { row, rows, write } from '../operation'
import type { Operation } from '../operation'
import { migrations } from '../schema'
import type { Dialect } from '../schema'
import { bury } from './runs'

/**
 * Brings the schema up to date.
 * @returns the version of a store that is newer than this code, which has then touched nothing.
 */
export function* migrate(dialect: Dialect, now: number): Operation<{ newer?: number; known: number }> {
  if (dialect.migrationLock) yield* write(dialect.migrationLock)
  yield* write('CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY, applied_at BIGINT NOT NULL)')
  const applied = yield* row<{ version: number | null }>('SELECT MAX(version) AS version FROM schema_versions')
  const version = applied?.version ?? 0
  const steps = migrations(dialect)
  if (version > steps.length) return { newer: version, known: steps.length }

  for (const [index, statements] of steps.entries()) {
    if (index < version) continue
    for (const statement of statements) yield* write(statement)
    yield* write('INSERT INTO schema_versions (version, applied_at) VALUES (?, ?)', index + 1, now)
  }
  return { known: steps.length }
}

/** Writes a fact down unless there is one of that name. @returns the one that stands. */
export function* setIfAbsent(_dialect: Dialect, name: string, value: string): Operation<string> {
  yield* write('INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING', name, value)
  const fact = yield* row<{ value: string }>('SELECT value FROM meta WHERE name = ?', name)
  return fact?.value ?? value
}

/** Proves that a commit is possible. */
export function* writeProbe(_dialect: Dialect, now: number): Operation<void> {
  yield* write(
    `INSERT INTO meta (name, value) VALUES ('probed_at', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    String(now)
  )
}

export interface Totals {
  events: number
  deferred: number
  bytes: number
  dead: number
  partitions: number
  suspended: number
  oldestAt: number | null
}

export function* totals(): Operation<Totals> {
  const [all] = yield* rows<{
    events: number | null
    bytes: number | null
    dead: number | null
    partitions: number
    suspended: number
    oldest: number | null
  }>(
    `SELECT CAST(SUM(events) AS BIGINT) AS events, CAST(SUM(bytes + dead_bytes) AS BIGINT) AS bytes,
      CAST(SUM(dead) AS BIGINT) AS dead, COUNT(*) AS partitions, COUNT(suspended_at) AS suspended, MIN(oldest_at) AS oldest FROM partitions`
  )
  const deferred = yield* row<{ count: number }>('SELECT COUNT(*) AS count FROM events WHERE deferred_for IS NOT NULL')
  return {
    events: all.events ?? 0,
    deferred: deferred?.count ?? 0,
    bytes: all.bytes ?? 0,
    dead: all.dead ?? 0,
    partitions: all.partitions,
    suspended: all.suspended,
    oldestAt: all.oldest
  }
}

/** Bytes of all that is kept. */
export function* bytesKept(): Operation<number> {
  const all = yield* row<{ bytes: number | null }>(
    'SELECT CAST(SUM(bytes + dead_bytes) AS BIGINT) AS bytes FROM partitions'
  )
  return all?.bytes ?? 0
}

/**
 * Notes the time of a retention run. False when the clock went back or leapt by more than two days since the last one: then
 * it may be wrong, and nothing should be deleted on its word until the next run confirms it.
 */
export function* mayPrune(_dialect: Dialect, now: number): Operation<boolean> {
  const last = yield* row<{ value: string }>(`SELECT value FROM meta WHERE name = 'pruned_at'`)
  yield* write(
    `INSERT INTO meta (name, value) VALUES ('pruned_at', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    String(now)
  )
  const gap = now - Number(last?.value)
  return gap >= 0 && gap <= 2 * 24 * 60 * 60 * 1000
}

/** Forgets up to `limit` message ids noted before a time. @returns how many. */
export function* forgetMessages(_dialect: Dialect, before: number, limit: number): Operation<number> {
  return yield* write(
    `DELETE FROM message_ids WHERE (partition_id, key) IN (SELECT partition_id, key FROM message_ids WHERE noted_at < ? LIMIT ?)`,
    before,
    limit
  )
}

/** Makes dead letters of up to `limit` events of one partition that has been suspended since before a time. @returns how many. */
export function* burySuspended(dialect: Dialect, before: number, limit: number, now: number): Operation<number> {
  const partition = yield* row<{ id: number; suspended_reason: string | null }>(
    `SELECT id, suspended_reason FROM partitions WHERE suspended_at < ? AND events > 0 AND worker IS NULL
      ORDER BY id LIMIT 1 ${dialect.lockFree}`,
    before
  )
  if (!partition) return 0
  const events = yield* rows<{ id: number }>(
    'SELECT id FROM events WHERE partition_id = ? ORDER BY id LIMIT ?',
    partition.id,
    limit
  )
  const ids = events.map(({ id }) => id)
  yield* bury(partition.id, ids, 'key_refused', partition.suspended_reason ?? '', now)
  return ids.length
}

/** Forgets partitions made before a time whose key never worked and of which nothing is left. @returns how many. */
export function* forgetPartitions(dialect: Dialect, before: number, limit: number): Operation<number> {
  const partitions = yield* rows<{ id: number }>(
    `SELECT id FROM partitions WHERE succeeded_at IS NULL AND events = 0 AND dead = 0 AND worker IS NULL AND created_at < ?
      ORDER BY id LIMIT ? ${dialect.lockFree}`,
    before,
    limit
  )
  for (const { id } of partitions) {
    for (const table of ['message_ids', 'identity_links', 'blocked_keys']) {
      yield* write(`DELETE FROM ${table} WHERE partition_id = ?`, id)
    }
    yield* write('DELETE FROM partitions WHERE id = ?', id)
  }
  return partitions.length
}
