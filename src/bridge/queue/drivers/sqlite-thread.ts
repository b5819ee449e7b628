import { parentPort, receiveMessageOnPort } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import Database from 'libsql'
import { begin } from '../transactions'
import type { TransactionName } from '../transactions'
import { sqlite } from '../transactions/dialect'
import type { Answer, Param, Step } from '../transactions/sql'

/*
 * The thread that owns the SQLite file. SQLite waits for the disk in the middle of a call; here nobody minds. What has come
 * in while it waited is done in one transaction, so a commit (and its fsync) is shared by all who wait for one.
 */

export type Call = { id: number } & (
  | { do: 'open'; file: string; maxPages?: number }
  | { do: 'run'; name: TransactionName; now: number; args: unknown[] }
  | { do: 'close' }
)
type Run = Call & { do: 'run' }

export type Reply = { id: number; result: unknown } | { id: number; error: string }

/** Transactions that share a commit at most, so that none waits for long. */
const MAX_SHARED = 256
const MAX_STATEMENTS = 500
/** How long to wait for another process that is writing. */
const LOCKED_MS = 5_000

const port = parentPort as MessagePort
const statements = new Map<string, Database.Statement>()
let database: Database.Database

port.on('message', (first: Call) => {
  const calls = [first]
  while (calls.length < MAX_SHARED) {
    const next = receiveMessageOnPort(port)
    if (!next) break
    calls.push(next.message as Call)
  }
  const runs = calls.filter((call) => call.do === 'run')
  for (const call of calls) if (call.do === 'open') answer([call], () => [open(call.file, call.maxPages)])
  if (runs.length > 0) runAll(runs)
  for (const call of calls) if (call.do === 'close') answer([call], () => [close()])
})

function answer(calls: Call[], work: () => unknown[]): void {
  let replies: Reply[]
  try {
    const results = work()
    replies = calls.map(({ id }, index) => ({ id, result: results[index] }))
  } catch (error) {
    replies = calls.map(({ id }) => ({ id, error: (error as Error).message }))
  }
  for (const reply of replies) port.postMessage(reply)
}

function open(file: string, maxPages?: number): void {
  database = new Database(file, { timeout: LOCKED_MS })
  // FULL makes every commit wait for the disk: without it a power cut could take back what was acknowledged.
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  // The index of message ids is written at random places: with room for more of it in memory and in the log, a page that is
  // changed often reaches the file once.
  database.exec('PRAGMA cache_size = -32768')
  database.exec('PRAGMA wal_autocheckpoint = 8000')
  if (maxPages) database.exec(`PRAGMA max_page_count = ${maxPages}`)
}

/** Leaves everything in the one file, where nobody else has it open. */
function close(): void {
  try {
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  } finally {
    database.close()
  }
}

/** All in one transaction; where one of them fails, each in its own. */
function runAll(runs: Run[]): void {
  try {
    const results = transaction(() => runs.map(perform))
    answer(runs, () => results)
  } catch (error) {
    if (runs.length === 1 || isLocked(error)) answer(runs, () => fail(error))
    else for (const run of runs) answer([run], () => transaction(() => [perform(run)]))
  }
}

function fail(error: unknown): never {
  throw error
}

function isLocked(error: unknown): boolean {
  return (error as { code?: string }).code === 'SQLITE_BUSY'
}

function transaction<Result>(work: () => Result): Result {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    // A full disk has already undone it.
    if (database.inTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function perform({ name, now, args }: Run): unknown {
  const steps = begin(name, { dialect: sqlite, now }, args)
  let next = steps.next()
  while (!next.done) next = steps.next(execute(next.value))
  return next.value
}

function execute(step: Step): Answer {
  if (step.kind === 'query') return read(step.sql, step.params)
  const statement = prepare(step.kind === 'insert' ? insertOf(step) : updateOf(step))
  const fresh: number[] = []
  step.rows.forEach((row, index) => {
    if (statement.run(step.kind === 'insert' ? row : [...row.slice(1), row[0]]).changes > 0) fresh.push(index)
  })
  return { rows: [], changes: fresh.length, fresh }
}

function insertOf({ table, columns, unique, replaces }: Step & { kind: 'insert' }): string {
  const others = columns.filter((column) => !unique?.includes(column))
  const action = replaces
    ? `UPDATE SET ${others.map((column) => `${column} = excluded.${column}`).join(', ')}`
    : 'NOTHING'
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
    ${unique ? `ON CONFLICT (${unique.join(', ')}) DO ${action}` : ''}`
}

function updateOf({ table, columns: [key, ...columns] }: Step & { kind: 'update' }): string {
  return `UPDATE ${table} SET ${columns.map((column) => `${column} = ?`).join(', ')} WHERE ${key} = ?`
}

function read(sql: string, params: Param[]): Answer {
  const statement = prepare(sql)
  if (statement.reader) return { rows: statement.all(params) as Answer['rows'], changes: 0 }
  return { rows: [], changes: statement.run(params).changes }
}

function prepare(sql: string): Database.Statement {
  const known = statements.get(sql)
  if (known) return known
  // IN lists make a statement for every length; the common ones are soon there again.
  if (statements.size >= MAX_STATEMENTS) statements.clear()
  const statement = database.prepare(sql)
  statements.set(sql, statement)
  return statement
}
