import { insertAbsent, marks, pieces, row, rows, write } from './sql'
import type { Context, Transaction } from './sql'

/**
 * Message ids are written into the first of these tables, and looked for in all. When the first has been in use for long
 * enough, the last one is emptied and put in front: so forgetting is one statement, however many ids there are. More tables
 * would forget in smaller portions, and each costs a look-up for every event.
 */
export const MESSAGE_ID_TABLES = ['message_ids', 'message_ids_1', 'message_ids_2']
const OLDER = MESSAGE_ID_TABLES.slice(1)

/** Writes down message ids, each with its partition. @returns the indexes of those that their partition had not had before */
export function* rememberMessages(ids: [partitionId: number, key: string][]): Transaction<Set<number>> {
  return yield* insertAbsent(MESSAGE_ID_TABLES[0], ['partition_id', 'key'], ids, OLDER)
}

/** Forgets message ids of a partition. @returns how many there were */
export function* forgetMessageIds(partitionId: number, keys: string[]): Transaction<number> {
  let count = 0
  for (const some of pieces(keys)) {
    for (const table of MESSAGE_ID_TABLES) {
      count += yield* write(
        `DELETE FROM ${table} WHERE partition_id = ? AND key IN (${marks(some)})`,
        ...[partitionId, ...some]
      )
    }
  }
  return count
}

/** How many message ids there are. */
export function* countMessages(): Transaction<number> {
  const last = (yield* spans())[MESSAGE_ID_TABLES.length - 1]
  // Less is noted than was before, where partitions are gone.
  return Math.max(0, (yield* noted()) - last.noted_before)
}

/**
 * Forgets the ids in the last of the tables, if all are older than `keepMs`, or if that is needed to have no more than `max`.
 * @returns how many
 */
function* forgetMessages({ dialect, now }: Context, keepMs: number, max: number): Transaction<number> {
  if (!(yield* isTimeToForget(now, keepMs, max))) return 0
  for (const statement of dialect.alone(MESSAGE_ID_TABLES)) yield* write(statement)
  // Others may have had the same idea.
  if (!(yield* isTimeToForget(now, keepMs, max))) return 0

  const all = yield* noted()
  const [first, second, last] = yield* spans()
  yield* write(`${dialect.empty} message_ids_2`)
  yield* rename('message_ids_2', 'message_ids_emptied')
  yield* rename('message_ids_1', 'message_ids_2')
  yield* rename('message_ids', 'message_ids_1')
  yield* rename('message_ids_emptied', 'message_ids')
  for (const [place, span] of [{ since: now, noted_before: all }, first, second].entries()) {
    yield* write(
      'UPDATE message_id_spans SET since = ?, noted_before = ? WHERE place = ?',
      ...[span.since, span.noted_before, place]
    )
  }
  return Math.max(0, second.noted_before - last.noted_before)
}

function* isTimeToForget(now: number, keepMs: number, max: number): Transaction<boolean> {
  const [first, second] = yield* spans()
  if (now - first.since >= keepMs / OLDER.length && now - second.since >= keepMs) return true
  return (yield* noted()) - first.noted_before >= max / MESSAGE_ID_TABLES.length
}

function* rename(table: string, to: string): Transaction<void> {
  yield* write(`ALTER TABLE ${table} RENAME TO ${to}`)
}

/** Since when each of the tables has been written to, and how many ids had been noted before, in the order of the tables. */
function* spans(): Transaction<{ since: number; noted_before: number }[]> {
  return yield* rows('SELECT since, noted_before FROM message_id_spans ORDER BY place')
}

/** All message ids that were ever noted for partitions that are there. */
function* noted(): Transaction<number> {
  const all = yield* row<{ count: number }>(
    'SELECT CAST(COALESCE(SUM(message_ids), 0) AS BIGINT) AS count FROM partitions'
  )
  return all?.count ?? 0
}

export const transactions = { forgetMessages }
