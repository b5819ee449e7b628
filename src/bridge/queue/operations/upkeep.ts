import { row, rows, write } from '../operation'
import type { Operation } from '../operation'
import { migrations } from '../schema'
import type { Dialect } from '../schema'
import { bury } from './queue'

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
export function* agree(_dialect: Dialect, name: string, value: string): Operation<string> {
  yield* write('INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING', name, value)
  const fact = yield* row<{ value: string }>('SELECT value FROM facts WHERE name = ?', name)
  return fact?.value ?? value
}

/** Proves that a commit is possible. */
export function* touch(_dialect: Dialect, now: number): Operation<void> {
  yield* write(
    `INSERT INTO facts (name, value) VALUES ('touched_at', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    String(now)
  )
}

export interface Totals {
  events: number
  held: number
  bytes: number
  dead: number
  lanes: number
  parked: number
  oldestAt: number | null
}

export function* totals(): Operation<Totals> {
  const [all] = yield* rows<{
    events: number | null
    bytes: number | null
    dead: number | null
    lanes: number
    parked: number
    oldest: number | null
  }>(
    `SELECT CAST(SUM(events) AS BIGINT) AS events, CAST(SUM(bytes + dead_bytes) AS BIGINT) AS bytes,
      CAST(SUM(dead) AS BIGINT) AS dead, COUNT(*) AS lanes, COUNT(parked_at) AS parked, MIN(oldest_at) AS oldest FROM lanes`
  )
  const held = yield* row<{ count: number }>('SELECT COUNT(*) AS count FROM events WHERE held_for IS NOT NULL')
  return {
    events: all.events ?? 0,
    held: held?.count ?? 0,
    bytes: all.bytes ?? 0,
    dead: all.dead ?? 0,
    lanes: all.lanes,
    parked: all.parked,
    oldestAt: all.oldest
  }
}

/** Bytes of all that is kept. */
export function* bytesKept(): Operation<number> {
  const all = yield* row<{ bytes: number | null }>('SELECT CAST(SUM(bytes + dead_bytes) AS BIGINT) AS bytes FROM lanes')
  return all?.bytes ?? 0
}

/**
 * Notes the time of a retention run. False when the clock went back or leapt by more than two days since the last one: then
 * it may be wrong, and nothing should be deleted on its word until the next run confirms it.
 */
export function* mayRetain(_dialect: Dialect, now: number): Operation<boolean> {
  const last = yield* row<{ value: string }>(`SELECT value FROM facts WHERE name = 'retained_at'`)
  yield* write(
    `INSERT INTO facts (name, value) VALUES ('retained_at', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    String(now)
  )
  const gap = now - Number(last?.value)
  return gap >= 0 && gap <= 2 * 24 * 60 * 60 * 1000
}

/** Forgets up to `limit` message ids noted before a time. @returns how many. */
export function* forgetMessages(_dialect: Dialect, before: number, limit: number): Operation<number> {
  return yield* write(
    `DELETE FROM message_ids WHERE (lane_id, key) IN (SELECT lane_id, key FROM message_ids WHERE noted_at < ? LIMIT ?)`,
    before,
    limit
  )
}

/** Makes dead letters of up to `limit` events of one lane that has been parked since before a time. @returns how many. */
export function* buryParked(dialect: Dialect, before: number, limit: number, now: number): Operation<number> {
  const lane = yield* row<{ id: number; parked_reason: string | null }>(
    `SELECT id, parked_reason FROM lanes WHERE parked_at < ? AND events > 0 AND worker IS NULL
      ORDER BY id LIMIT 1 ${dialect.lockFree}`,
    before
  )
  if (!lane) return 0
  const events = yield* rows<{ id: number }>(
    'SELECT id FROM events WHERE lane_id = ? ORDER BY id LIMIT ?',
    lane.id,
    limit
  )
  const ids = events.map(({ id }) => id)
  yield* bury(lane.id, ids, 'key_refused', lane.parked_reason ?? '', now)
  return ids.length
}

/** Forgets lanes made before a time whose key never worked and of which nothing is left. @returns how many. */
export function* forgetLanes(dialect: Dialect, before: number, limit: number): Operation<number> {
  const lanes = yield* rows<{ id: number }>(
    `SELECT id FROM lanes WHERE succeeded_at IS NULL AND events = 0 AND dead = 0 AND worker IS NULL AND created_at < ?
      ORDER BY id LIMIT ? ${dialect.lockFree}`,
    before,
    limit
  )
  for (const { id } of lanes) {
    for (const table of ['message_ids', 'identities', 'held_keys']) {
      yield* write(`DELETE FROM ${table} WHERE lane_id = ?`, id)
    }
    yield* write('DELETE FROM lanes WHERE id = ?', id)
  }
  return lanes.length
}
