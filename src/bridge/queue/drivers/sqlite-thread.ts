import { chmodSync, closeSync, existsSync, openSync, statfsSync, statSync } from 'node:fs'
import { parentPort, receiveMessageOnPort } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import Database from 'libsql'
import { begin } from '../transactions'
import type { TransactionName } from '../transactions'
import { sqlite } from '../transactions/dialect'
import { insertSql } from '../transactions/sql'
import type { Answer, Param, Step } from '../transactions/sql'

/*
 * The thread that owns the SQLite file. SQLite waits for the disk in the middle of a call; here nobody minds. What has come
 * in while it waited is done in one transaction, so a commit (and its fsync) is shared by all who wait for one.
 */

export type Call = { id: number } & (
  | { do: 'open'; file: string; maxPages?: number }
  | { do: 'run'; name: TransactionName; now: number; args: unknown[] }
  | { do: 'scrub' }
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
/** What is looked at besides the database itself; undefined: it is in memory. */
let file: { path: string; inode: number; lookedAt: number; isFull: boolean } | undefined
const pages = { max: Infinity }

const PAGE_BYTES = 4096
/** 64 MB: the log of changes that SQLite keeps beside the file, twice. */
const RESERVE_PAGES = 16_384
const LOOK_AT_DISK_MS = 1_000
/** Pages that are kept for what comes next, and those given back at a time, so that nobody waits for it. */
const MIN_FREE_PAGES = 4_096
const MAX_PAGES_GIVEN_BACK = 512

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
  for (const call of calls) if (call.do === 'scrub') answer([call], () => [scrub()])
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

function open(path: string, maxPages?: number): void {
  if (path !== ':memory:') makePrivate(path)
  database = new Database(path, { timeout: LOCKED_MS })
  // Takes effect on a new file only: pages that are no longer needed can then be given back in small steps.
  database.exec('PRAGMA auto_vacuum = INCREMENTAL')
  // FULL makes every commit wait for the disk: without it a power cut could take back what was acknowledged.
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  // The index of message ids is written at random places: with room for more of it in memory and in the log, a page that is
  // changed often reaches the file once.
  database.exec('PRAGMA cache_size = -32768')
  database.exec('PRAGMA wal_autocheckpoint = 8000')
  if (maxPages) database.exec(`PRAGMA max_page_count = ${maxPages}`)
  pages.max = maxPages ?? Infinity
  if (path !== ':memory:') file = { path, inode: statSync(path).ino, lookedAt: -Infinity, isFull: false }
}

/** Only the owner may read a store. SQLite gives `-wal` and `-shm` the rights of the file itself. */
function makePrivate(path: string): void {
  closeSync(openSync(path, 'a', 0o600))
  if ((statSync(path).mode & 0o077) === 0) return
  for (const each of [path, `${path}-wal`, `${path}-shm`]) {
    if (existsSync(each)) chmodSync(each, 0o600)
  }
}

/** @throws when what was just written is in a file that nobody will ever find again */
function assertThere(): void {
  if (file && statSync(file.path, { throwIfNoEntry: false })?.ino !== file.inode) {
    throw new Error(`its file ${file.path} is gone: it was moved or deleted while the bridge ran`)
  }
}

/**
 * Room for what delivering writes: when there is no more than this, nothing is taken in, and what is there still gets out.
 * @throws when the room is used up
 */
function assertRoom(): void {
  const used = pragma('page_count') - pragma('freelist_count')
  const reserve = Math.min(RESERVE_PAGES, pages.max / 8)
  if (used > pages.max - reserve) throw new Error('database or disk is full')
  if (!file) return
  const now = performance.now()
  if (now - file.lookedAt >= LOOK_AT_DISK_MS) {
    const { bavail, bsize } = statfsSync(file.path)
    Object.assign(file, { lookedAt: now, isFull: bavail * bsize < RESERVE_PAGES * PAGE_BYTES })
  }
  if (file.isFull) throw new Error('database or disk is full')
}

function pragma(name: 'page_count' | 'freelist_count'): number {
  return (prepare(`SELECT ${name} AS value FROM pragma_${name}`).get() as { value: number }).value
}

/** Gives some pages back to the disk that hold nothing any more, where there are many. */
function shrink(): void {
  const free = pragma('freelist_count')
  if (free > Math.max(MIN_FREE_PAGES, pragma('page_count') / 4)) {
    database.exec(`PRAGMA incremental_vacuum(${Math.min(free - MIN_FREE_PAGES, MAX_PAGES_GIVEN_BACK)})`)
  }
}

/** Deleted rows stay readable in the file until their place is used again. This writes the file anew. */
function scrub(): void {
  database.exec('VACUUM')
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
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
    assertThere()
    answer(runs, () => results)
  } catch (error) {
    if (runs.length === 1 || isLocked(error)) answer(runs, () => fail(error))
    else for (const run of runs) runAll([run])
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
  if (name === 'enqueue' || name === 'writeProbe') assertRoom()
  if (name === 'heartbeat') shrink()
  const steps = begin(name, { dialect: sqlite, now }, args)
  let next = steps.next()
  while (!next.done) next = steps.next(execute(next.value))
  return next.value
}

function execute(step: Step): Answer {
  if (step.kind === 'query') return read(step.sql, step.params)
  if (step.kind === 'each') return { rows: step.rows.flatMap((row) => read(step.sql, row).rows), changes: 0 }
  const statement = prepare(statementOf(step))
  const fresh: number[] = []
  step.rows.forEach((row, index) => {
    if (statement.run(step.kind === 'update' ? [...row.slice(1), row[0]] : row).changes > 0) fresh.push(index)
  })
  return { rows: [], changes: fresh.length, fresh }
}

function statementOf(step: Exclude<Step, { kind: 'query' | 'each' }>): string {
  if (step.kind === 'insert') return insertSql(step, 1)
  return step.kind === 'update' ? updateOf(step) : insertAbsentOf(step)
}

function insertAbsentOf({ table, key, others }: Step & { kind: 'insertAbsent' }): string {
  const columns = key.join(', ')
  const isKey = key.map((column, index) => `${column} = ?${index + 1}`).join(' AND ')
  const isAbsent = others.map((other) => `NOT EXISTS (SELECT 1 FROM ${other} WHERE ${isKey})`).join(' AND ')
  return `INSERT INTO ${table} (${columns}) SELECT ${key.map((_, index) => `?${index + 1}`).join(', ')}
    WHERE ${isAbsent} ON CONFLICT (${columns}) DO NOTHING`
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
