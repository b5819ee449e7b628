import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import Database from 'libsql'
import type { Answer, Operation, Step } from './operation'
import { operations } from './operations'
import { sqlite } from './schema'

/*
 * The thread that owns the SQLite file. SQLite waits for the disk in the middle of a call; here nobody minds. What has come
 * in while it waited is done in one transaction, so a commit (and its fsync) is shared by all who wait for one.
 */

export interface Call {
  id: number
  /** Name of an operation; none: close the file. */
  name?: keyof typeof operations
  args: unknown[]
}

export type Reply = { id: number; result: unknown } | { id: number; error: { message: string; code?: string } }

/** Calls that share a transaction at most, so that none waits for long. */
const MAX_SHARED = 256

const MAX_STATEMENTS = 500

const port = parentPort as MessagePort
const { file, maxPages } = workerData as { file: string; maxPages?: number }
const statements = new Map<string, Database.Statement>()
const database = open()

function open(): Database.Database {
  const opened = new Database(file, { timeout: 5000 })
  // FULL makes every commit wait for the disk: without it a power cut could take back what was acknowledged.
  opened.exec('PRAGMA journal_mode = WAL')
  opened.exec('PRAGMA synchronous = FULL')
  if (maxPages) opened.exec(`PRAGMA max_page_count = ${maxPages}`)
  return opened
}

port.on('message', (first: Call) => {
  const calls = [first]
  while (calls.length < MAX_SHARED) {
    const next = receiveMessageOnPort(port)
    if (!next) break
    calls.push(next.message as Call)
  }
  for (const reply of answer(calls)) port.postMessage(reply)
  if (!database.open) port.close()
})

function answer(calls: Call[]): Reply[] {
  const closing = calls.find(({ name }) => name === undefined)
  const open = calls.filter(({ name }) => name !== undefined)
  const replies = open.length === 0 ? [] : together(open) ?? open.map(alone)
  if (!closing) return replies
  database.close()
  return [...replies, { id: closing.id, result: undefined }]
}

/** All calls in one transaction. Undefined: one of them failed and nothing was done. */
function together(calls: Call[]): Reply[] | undefined {
  try {
    return transaction(() => calls.map((call) => ({ id: call.id, result: perform(call) })))
  } catch {
    return undefined
  }
}

function alone(call: Call): Reply {
  try {
    return { id: call.id, result: transaction(() => perform(call)) }
  } catch (error) {
    const { message, code } = error as Error & { code?: string }
    return { id: call.id, error: { message, code } }
  }
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

function perform({ name, args }: Call): unknown {
  const operation = operations[name as keyof typeof operations] as (...all: unknown[]) => Operation<unknown>
  const steps = operation(sqlite, ...args)
  let next = steps.next()
  while (!next.done) next = steps.next(execute(next.value))
  return next.value
}

function execute(step: Step): Answer {
  if (step.kind === 'query') return read(step.sql, step.params)
  const { table, columns, tail } = step
  const sql = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')}) ${tail}`
  const answers = step.rows.map((values) => read(sql, values))
  return {
    rows: answers.flatMap(({ rows }) => rows),
    changes: answers.reduce((total, { changes }) => total + changes, 0)
  }
}

function read(sql: string, params: (string | number | null)[]): Answer {
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
