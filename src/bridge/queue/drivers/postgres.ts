import { setTimeout } from 'node:timers/promises'
import type { Pool, PoolClient } from 'pg'
import { QueueUnavailable, QueueUnusable, WriteRefused } from '../errors'
import { begin } from '../transactions'
import type { TransactionName } from '../transactions'
import { postgres } from '../transactions/dialect'
import { insertSql, pieces } from '../transactions/sql'
import type { Answer, Each, Insert, InsertAbsent, Param, Row, Step, Update } from '../transactions/sql'
import type { Driver } from './driver'

const MAX_CONNECTIONS = 10
const CONNECT_TIMEOUT_MS = 3_000
const ANSWER_TIMEOUT_MS = 15_000
const MAX_ROWS_PER_INSERT = 1_000

/** Two transactions met in a deadlock, or could not be put in an order, and this one was undone to let the other pass. */
const UNDONE = ['40P01', '40001']
const MAX_TRIES = 10
/** Before it is done again, it waits for up to this, times the tries before: two that meet again would undo each other for ever. */
const TRY_AGAIN_MS = 20

/** Errors of the data, of its size, of a row that others keep locked, and of a statement that took too long. */
const OF_WHAT_IS_WRITTEN = /^(22...|23...|54...|55P03|57014)$/

/**
 * Begins a transaction that is on disk when its COMMIT returns, whatever the server's default, and that does not keep its
 * locks when this machine vanishes. Local settings, so that connections shared through a pooler stay as they were.
 */
const BEGIN = `BEGIN; SET LOCAL synchronous_commit = on; SET LOCAL statement_timeout = '10s';
  SET LOCAL lock_timeout = '5s'; SET LOCAL idle_in_transaction_session_timeout = '10s'`

/** A Postgres database, named by its URL. @throws QueueUnusable */
export async function openPostgres(url: string): Promise<Driver> {
  // Not at the top: most bridges keep their queue in a file.
  const { Pool, types } = await import('pg')
  const INT8: number = types.builtins.INT8
  const pool = new Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    keepAlive: true,
    allowExitOnIdle: true,
    // Counts and times come as BIGINT. All are far below 2⁵³.
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === INT8 ? Number : (types.getTypeParser(oid, format) as (text: string) => unknown)
    }
  })
  // A connection that breaks is replaced, and whoever used it hears of it from the query; unheard, these would end the process.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  const driver = new PostgresDriver(pool)
  try {
    await pool.query('SELECT 1')
  } catch (error) {
    await driver.close()
    throw new QueueUnusable(`The Postgres store can't be reached: ${inWords(error)}.`, { cause: error })
  }
  return driver
}

class PostgresDriver implements Driver {
  private closed?: Promise<void>

  constructor(private readonly pool: Pool) {}

  async run(name: TransactionName, now: number, args: unknown[]): Promise<unknown> {
    if (this.closed) throw new QueueUnavailable('The store is closed.')
    for (let tries = 1; ; tries++) {
      try {
        return await this.transaction(name, now, args)
      } catch (error) {
        if (tries < MAX_TRIES && UNDONE.includes(codeOf(error))) {
          await setTimeout(Math.random() * TRY_AGAIN_MS * tries)
          continue
        }
        const Unavailable = OF_WHAT_IS_WRITTEN.test(codeOf(error)) ? WriteRefused : QueueUnavailable
        throw new Unavailable(`The Postgres store can't be used: ${inWords(error)}.`, { cause: error })
      }
    }
  }

  /** What is deleted stays in the files until Postgres vacuums the tables, which it does by itself. */
  async scrub(): Promise<void> {
    if (this.closed) throw new QueueUnavailable('The store is closed.')
  }

  async close(): Promise<void> {
    this.closed ??= this.pool.end()
    return this.closed
  }

  private async transaction(name: TransactionName, now: number, args: unknown[]): Promise<unknown> {
    const client = await this.pool.connect()
    let failure: Error | undefined
    try {
      await client.query(BEGIN)
      const result = await perform(client, name, now, args)
      await client.query('COMMIT')
      return result
    } catch (error) {
      failure = error as Error
      // The server answered, so the connection is good; anything else leaves it in an unknown state.
      if (codeOf(error).length === 5) {
        failure = await client.query('ROLLBACK').then(
          () => undefined,
          (broken: Error) => broken
        )
      }
      throw error
    } finally {
      client.release(failure)
    }
  }
}

async function perform(client: PoolClient, name: TransactionName, now: number, args: unknown[]): Promise<unknown> {
  const steps = begin(name, { dialect: postgres, now }, args)
  let next = steps.next()
  while (!next.done) next = steps.next(await execute(client, next.value))
  return next.value
}

async function execute(client: PoolClient, step: Step): Promise<Answer> {
  if (step.kind === 'query') return query(client, step.sql, step.params)
  if (step.kind === 'each') return selectEach(client, step)
  if (step.kind === 'insert') return insertRows(client, step)
  return step.kind === 'update' ? updateRows(client, step) : insertAbsent(client, step)
}

/** One statement for all rows of parameters: the values of each place come as an array. */
async function selectEach(client: PoolClient, { sql, rows }: Each): Promise<Answer> {
  let count = 0
  const select = sql.replace(/\?/g, () => `given.param${++count}`)
  const params = rows[0].map((_, index) => `param${index + 1}`)
  const found = await client.query<Row>(
    `SELECT found.* FROM unnest(${params.map((_, index) => `$${index + 1}::bigint[]`).join(', ')})
      AS given (${params.join(', ')}) CROSS JOIN LATERAL (${select}) AS found`,
    params.map((_, index) => rows.map((row) => row[index]))
  )
  return { rows: found.rows, changes: 0 }
}

async function insertRows(client: PoolClient, step: Insert): Promise<Answer> {
  const { columns, unique, replaces } = step
  const fresh = unique && !replaces ? unique : undefined
  const answer: Answer = { rows: [], changes: 0 }
  for (const rows of pieces(step.rows, MAX_ROWS_PER_INSERT)) {
    const sql = `${insertSql(step, rows.length)} ${fresh ? `RETURNING ${fresh.join(', ')}` : ''}`
    const one = await query(client, sql, rows.flat())
    answer.rows.push(...one.rows)
    answer.changes += one.changes
  }
  return { ...answer, fresh: fresh && freshIn(step.rows, columns, fresh, answer.rows) }
}

/** One statement for all rows: the values of each column come as an array. */
async function insertAbsent(client: PoolClient, { table, key, rows, others }: InsertAbsent): Promise<Answer> {
  const columns = key.join(', ')
  const arrays = rows[0].map((value, index) => `$${index + 1}::${typeof value === 'number' ? 'bigint' : 'text'}[]`)
  const isKey = key.map((column) => `old.${column} = given.${column}`).join(' AND ')
  const isAbsent = others.map((other) => `NOT EXISTS (SELECT 1 FROM ${other} AS old WHERE ${isKey})`).join(' AND ')
  const inserted = await client.query<Row>(
    `INSERT INTO ${table} (${columns}) SELECT * FROM unnest(${arrays.join(', ')}) AS given (${columns})
      WHERE ${isAbsent} ON CONFLICT (${columns}) DO NOTHING RETURNING ${columns}`,
    key.map((_, index) => rows.map((row) => row[index]))
  )
  return { rows: [], changes: inserted.rows.length, fresh: freshIn(rows, key, key, inserted.rows) }
}

/** One statement for all rows: the values of each column come as an array. */
async function updateRows(client: PoolClient, { table, columns, rows }: Update): Promise<Answer> {
  const [key, ...others] = columns
  const { rowCount } = await client.query(
    `UPDATE ${table} SET ${others.map((column) => `${column} = given.${column}`).join(', ')}
      FROM unnest(${columns.map((_, index) => `$${index + 1}::bigint[]`).join(', ')}) AS given (${columns.join(', ')})
      WHERE ${table}.${key} = given.${key}`,
    columns.map((_, index) => rows.map((row) => row[index]))
  )
  return { rows: [], changes: rowCount ?? 0 }
}

/** Finds the rows that were inserted by their keys. */
function freshIn(rows: Param[][], columns: string[], unique: string[], inserted: Row[]): number[] {
  const keys = new Set(inserted.map((row) => JSON.stringify(unique.map((column) => row[column]))))
  const places = unique.map((column) => columns.indexOf(column))
  return [...rows.keys()].filter((index) => keys.delete(JSON.stringify(places.map((place) => rows[index][place]))))
}

async function query(client: PoolClient, sql: string, params: Param[]): Promise<Answer> {
  let count = 0
  const { rows, rowCount } = await client.query<Row>(
    sql.replace(/\?/g, () => `$${++count}`),
    params
  )
  return { rows, changes: rowCount ?? 0 }
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? ''
}

function inWords(error: unknown): string {
  const { message, errors } = error as Error & { errors?: Error[] }
  const words = message || errors?.map(({ message }) => message).join(', ')
  return codeOf(error) === '53100' ? 'its disk is full' : words || 'unknown reason'
}
