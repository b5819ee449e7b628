import type { Columns, Dialect } from './dialect'

/**
 * A transaction, written as a generator that yields its SQL and gets the answers back. So it is written once and run by
 * both drivers: SQLite steps through it without a pause, Postgres waits for the network in between.
 * A transaction checks what can go wrong before it writes, and says so in its result: one that throws is undone.
 */
export type Transaction<Result> = Generator<Step, Result, Answer>

/** What every transaction is given first. */
export interface Context {
  dialect: Dialect
  /** ms since 1970. */
  now: number
}

export type Step = Query | Each | Insert | InsertAbsent | Update

export interface Query {
  kind: 'query'
  /** With `?` for each parameter. */
  sql: string
  params: Param[]
}

/** One SELECT for each row of parameters, as the driver does it best. */
export interface Each {
  kind: 'each'
  /** With `?` for each parameter of a row. */
  sql: string
  /** Whole numbers. */
  rows: number[][]
}

/** One row or thousands, as the driver does it best. */
export interface Insert {
  kind: 'insert'
  table: string
  columns: string[]
  rows: Param[][]
  /** Columns of a key, of which only rows with a new one are inserted. */
  unique?: string[]
  /** Rows whose key is there already take the place of the old ones. No key may be given twice. */
  replaces?: boolean
}

/** Rows that are all key: only those are inserted that are neither in the table nor in others with the same key. */
export interface InsertAbsent {
  kind: 'insertAbsent'
  table: string
  key: string[]
  rows: Param[][]
  others: string[]
}

/** Rows of a table, each set to values of its own, as the driver does it best. */
export interface Update {
  kind: 'update'
  table: string
  /** The first one is the key. All hold whole numbers. */
  columns: string[]
  rows: (number | null)[][]
}

export type Param = string | number | null
export type Row = Record<string, Param>

export interface Answer {
  rows: Row[]
  /** Rows written, where the step writes. */
  changes: number
  /** Of an insert with a key: which rows (by their index) were new. */
  fresh?: number[]
}

/** The rows of a SELECT, or of a RETURNING. `Columns` names what the SQL names. */
export function* rows<Columns extends Row>(sql: string, ...params: Param[]): Transaction<Columns[]> {
  const answer = yield { kind: 'query', sql, params }
  return answer.rows as Columns[]
}

/** The first row. */
export function* row<Columns extends Row>(sql: string, ...params: Param[]): Transaction<Columns | undefined> {
  return (yield* rows<Columns>(sql, ...params))[0]
}

/** Writes, and returns how many rows were written. */
export function* write(sql: string, ...params: Param[]): Transaction<number> {
  const answer = yield { kind: 'query', sql, params }
  return answer.changes
}

/** Inserts rows, all of them. */
export function* insert(table: string, columns: string[], values: Param[][]): Transaction<void> {
  if (values.length > 0) yield { kind: 'insert', table, columns, rows: values }
}

/** Inserts the rows whose key is new, and returns their indexes. Of several with one key, the first one is. */
export function* insertNew(
  table: string,
  columns: string[],
  values: Param[][],
  unique: string[]
): Transaction<Set<number>> {
  if (values.length === 0) return new Set()
  const answer = yield { kind: 'insert', table, columns, rows: values, unique }
  return new Set(answer.fresh)
}

/** Inserts rows that are all key, if they are neither in the table nor in the others, and returns the indexes of those. */
export function* insertAbsent(
  table: string,
  key: string[],
  values: Param[][],
  others: string[]
): Transaction<Set<number>> {
  if (values.length === 0) return new Set()
  const answer = yield { kind: 'insertAbsent', table, key, rows: values, others }
  return new Set(answer.fresh)
}

/** Inserts rows, in place of those with the same key. No key may be given twice. */
export function* replace(table: string, columns: string[], values: Param[][], unique: string[]): Transaction<void> {
  if (values.length > 0) yield { kind: 'insert', table, columns, rows: values, unique, replaces: true }
}

/** Sets columns of rows that are found by the first column. */
export function* updateEach(table: string, columns: string[], values: (number | null)[][]): Transaction<void> {
  if (values.length > 0) yield { kind: 'update', table, columns, rows: values }
}

/** The rows of a SELECT, run for each row of parameters. */
export function* each<Columns extends Row>(sql: string, params: number[][]): Transaction<Columns[]> {
  if (params.length === 0) return []
  const answer = yield { kind: 'each', sql, rows: params }
  return answer.rows as Columns[]
}

/**
 * Condition that columns, which begin a key, hold what one of the given rows does. SQLite looks them up in the key only when the
 * last of them comes first here and has the type of its column; else it goes through the whole partition.
 */
export function isGiven({ dialect }: Context, columns: Columns): string {
  const names = Object.keys(columns).reverse().join(', ')
  return `(${names}) IN (SELECT ${names} FROM ${dialect.given(columns)})`
}

/** Rows as one parameter, for a table that `dialect.given` makes of them: so a statement is the same for any number of rows. */
export function given(values: Param[][]): string {
  return JSON.stringify(values)
}

/** An insert of so many rows as SQL, with `?` for each value. */
export function insertSql({ table, columns, unique, replaces }: Insert, count: number): string {
  const values = Array<string>(count).fill(`(${marks(columns)})`)
  const others = columns.filter((column) => !unique?.includes(column))
  const action = replaces
    ? `UPDATE SET ${others.map((column) => `${column} = excluded.${column}`).join(', ')}`
    : 'NOTHING'
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${values.join(', ')}
    ${unique ? `ON CONFLICT (${unique.join(', ')}) DO ${action}` : ''}`
}

/** `?, ?, ?` for an IN list. */
export function marks(values: unknown[]): string {
  return values.map(() => '?').join(', ')
}

/** Lists longer than this are handed to the store in pieces: both engines limit the parameters of a statement. */
const MAX_PARAMS = 10_000

export function pieces<T>(values: T[], size = MAX_PARAMS): T[][] {
  const result: T[][] = []
  for (let start = 0; start < values.length; start += size) result.push(values.slice(start, start + size))
  return result
}

export function byPartition<Found extends { partition_id: number }>(found: Found[]): Map<number, Found[]> {
  const groups = new Map<number, Found[]>()
  for (const one of found) {
    const group = groups.get(one.partition_id)
    if (group) group.push(one)
    else groups.set(one.partition_id, [one])
  }
  return groups
}

/** All bytes of rows. */
export function bytesOf(found: { bytes: number }[]): number {
  return found.reduce((total, { bytes }) => total + bytes, 0)
}
