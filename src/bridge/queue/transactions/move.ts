import { MESSAGE_ID_TABLES } from './message-ids'
import { getMeta, setMeta } from './meta'
import { livingWorkers } from './leases'
import { insert, replace, row, rows, write } from './sql'
import type { Context, Param, Row, Transaction } from './sql'

/** A table as it is moved: row by row in the order of its key. */
interface MovedTable {
  name: string
  key: string[]
  /** It has rows in a new store already; those of the old one take their place. */
  replaces?: true
  /** Rows can be large, and have a column that says how large. */
  isLarge?: true
}

const TABLES: MovedTable[] = [
  { name: 'partitions', key: ['id'] },
  { name: 'message_id_spans', key: ['place'], replaces: true },
  { name: 'events', key: ['partition_id', 'id'], isLarge: true },
  { name: 'blocked_keys', key: ['partition_id', 'key', 'event_id'] },
  { name: 'dead_letters', key: ['id'], isLarge: true },
  ...['identity_links', 'contact_ids', 'live_traits', ...MESSAGE_ID_TABLES].map((name) => ({
    name,
    key: ['partition_id', 'key']
  })),
  { name: 'event_names', key: ['partition_id', 'name'] }
]

/** Rows and bytes that are moved in one transaction. */
const BATCH_ROWS = 1_000
const BATCH_BYTES = 4_000_000

/** How far a move is: written down in the new store together with the rows. */
export interface MoveCursor {
  /** Tells one move from another. */
  move: string
  /** Where the rows come from, as people may read it. */
  from: string
  /** Which of the tables is being moved, and the key of the last row that was. */
  table: number
  after: Param[]
  /** Rows that were moved, by their table. */
  counts: Record<string, number>
  isDone: boolean
}

/** What is written in a store that is moved elsewhere. */
export interface MoveMark {
  move: string
  to: string
  /** Everything is there. */
  isDone: boolean
}

export interface MoveState {
  /** Where the store was or is being moved to. */
  mark?: MoveMark
  /** From where it is being filled. */
  cursor?: MoveCursor
  isEmpty: boolean
  /** When it was last pruned. */
  prunedAt?: string
}

function* moveState(_context: Context): Transaction<MoveState> {
  const mark = yield* getMeta('moved')
  const cursor = yield* getMeta('moving')
  return {
    mark: mark === undefined ? undefined : (JSON.parse(mark) as MoveMark),
    cursor: cursor === undefined ? undefined : (JSON.parse(cursor) as MoveCursor),
    isEmpty: (yield* row('SELECT id FROM partitions LIMIT 1')) === undefined,
    prunedAt: yield* getMeta('pruned_at')
  }
}

/** Marks a store as being moved, so that no bridge is started on it. False: one is running. */
function* markMoved(context: Context, mark: MoveMark): Transaction<boolean> {
  if ((yield* livingWorkers(context)) > 0) return false
  yield* setMeta('moved', JSON.stringify(mark))
  return true
}

/** Makes an empty store the new one of a move. False: a bridge is running on it. */
function* beginMove(context: Context, cursor: MoveCursor): Transaction<boolean> {
  if ((yield* livingWorkers(context)) > 0) return false
  yield* setMeta('moving', JSON.stringify(cursor))
  return true
}

/** Reads what comes next. @returns the rows, and how far the move is when they are written. */
function* readBatch(_context: Context, cursor: MoveCursor): Transaction<{ batch: Row[]; next: MoveCursor }> {
  const { name, key, isLarge } = TABLES[cursor.table]
  const where = cursor.after.length > 0 ? `WHERE (${key.join(', ')}) > (${key.map(() => '?').join(', ')})` : ''
  const order = `${where} ORDER BY ${key.join(', ')} LIMIT ?`
  let limit = BATCH_ROWS
  if (isLarge) {
    const sizes = yield* rows<{ bytes: number }>(`SELECT bytes FROM ${name} ${order}`, ...cursor.after, limit)
    let bytes = 0
    const tooMuch = sizes.findIndex((size) => (bytes += size.bytes) > BATCH_BYTES)
    if (tooMuch >= 0) limit = Math.max(tooMuch, 1)
  }
  const batch = yield* rows(`SELECT * FROM ${name} ${order}`, ...cursor.after, limit)
  const counts = { ...cursor.counts, [name]: (cursor.counts[name] ?? 0) + batch.length }
  if (batch.length > 0) {
    const last = batch[batch.length - 1]
    return { batch, next: { ...cursor, counts, after: key.map((column) => last[column]) } }
  }
  const table = cursor.table + 1
  return { batch, next: { ...cursor, counts, table, after: [], isDone: table === TABLES.length } }
}

/** Writes rows that were read with `cursor`. False: somebody else has. */
function* writeBatch({ dialect }: Context, cursor: MoveCursor, batch: Row[], next: MoveCursor): Transaction<boolean> {
  const known = yield* row<{ value: string }>(`SELECT value FROM meta WHERE name = 'moving' ${dialect.lock}`)
  if (known?.value !== JSON.stringify(cursor)) return false
  const { name, key, replaces } = TABLES[cursor.table]
  if (batch.length > 0) {
    // Nobody works on a partition of a store that no bridge has been started on.
    const columns = Object.keys(batch[0]).filter((column) => column !== 'worker')
    const values = batch.map((one) => columns.map((column) => one[column]))
    yield* replaces ? replace(name, columns, values, key) : insert(name, columns, values)
  }
  yield* setMeta('moving', JSON.stringify(next))
  return true
}

/** Ends a move in the new store: from now on a bridge may be started on it. */
function* endMove({ dialect }: Context, prunedAt: string | undefined): Transaction<void> {
  for (const statement of dialect.continueSerial(['partitions', 'dead_letters'])) yield* write(statement)
  if (prunedAt !== undefined) yield* setMeta('pruned_at', prunedAt)
  yield* write(`DELETE FROM meta WHERE name = 'moving'`)
}

export const transactions = { moveState, markMoved, beginMove, readBatch, writeBatch, endMove }
