import { Pool, types } from 'pg'
import type { PoolClient } from 'pg'
import type { Engine } from './engine'
import { operations } from './operations'
import type { Arguments, OperationName, Result } from './operations'
import { pieces } from './operation'
import type { Answer, Operation, Param, Row, Step } from './operation'
import { postgres } from './schema'
import { QueueUnavailable, QueueUnusable } from './queue'

const INT8: number = types.builtins.INT8

const MAX_CONNECTIONS = 10
const CONNECT_TIMEOUT_MS = 3_000
const ANSWER_TIMEOUT_MS = 15_000
const MAX_ROWS_PER_INSERT = 1_000

/** Two transactions met in a deadlock, and this one was undone to let the other pass. */
const UNDONE = ['40P01', '40001']
const MAX_TRIES = 5

/**
 * Begins a transaction that is on disk when its COMMIT returns, whatever the server's default, and that does not keep its
 * locks when this machine vanishes. Local settings, so that connections shared through a pooler stay as they were.
 */
const BEGIN = `BEGIN; SET LOCAL synchronous_commit = on; SET LOCAL statement_timeout = '10s';
  SET LOCAL lock_timeout = '5s'; SET LOCAL idle_in_transaction_session_timeout = '10s'`

/** A Postgres database, named by its URL. @throws QueueUnusable */
export async function openPostgres(url: string): Promise<Engine> {
  const pool = new Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    keepAlive: true,
    allowExitOnIdle: true,
    // Counts and times come as BIGINT. All are far below 2⁵³.
    types: { getTypeParser: parserOf }
  })
  // A connection that breaks is replaced, and whoever used it hears of it from the query; unheard, these would end the process.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  const engine = new PostgresEngine(pool)
  try {
    await pool.query('SELECT 1')
  } catch (error) {
    await engine.close()
    throw new QueueUnusable(`The Postgres store can't be reached: ${inWords(error)}.`, { cause: error })
  }
  return engine
}

class PostgresEngine implements Engine {
  private closed?: Promise<void>

  constructor(private readonly pool: Pool) {}

  async run<Name extends OperationName>(name: Name, ...args: Arguments<Name>): Promise<Result<Name>> {
    if (this.closed) throw new QueueUnavailable('The store is closed.')
    for (let tries = 1; ; tries++) {
      try {
        return (await this.transaction(name, args)) as Result<Name>
      } catch (error) {
        if (tries < MAX_TRIES && UNDONE.includes(codeOf(error))) continue
        throw new QueueUnavailable(`The Postgres store can't be used: ${inWords(error)}.`, { cause: error })
      }
    }
  }

  async close(): Promise<void> {
    this.closed ??= this.pool.end()
    return this.closed
  }

  private async transaction(name: OperationName, args: unknown[]): Promise<unknown> {
    const client = await this.pool.connect()
    let failure: Error | undefined
    try {
      await client.query(BEGIN)
      const result = await perform(client, name, args)
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

async function perform(client: PoolClient, name: OperationName, args: unknown[]): Promise<unknown> {
  const operation = operations[name] as (...all: unknown[]) => Operation<unknown>
  const steps = operation(postgres, ...args)
  let next = steps.next()
  while (!next.done) next = steps.next(await execute(client, next.value))
  return next.value
}

async function execute(client: PoolClient, step: Step): Promise<Answer> {
  if (step.kind === 'query') return query(client, step.sql, step.params)
  const { table, columns, unique } = step
  const row = `(${columns.map(() => '?').join(', ')})`
  const tail = unique ? `ON CONFLICT (${unique.join(', ')}) DO NOTHING RETURNING ${unique.join(', ')}` : ''
  const all: Answer = { rows: [], changes: 0 }
  for (const rows of pieces(step.rows, MAX_ROWS_PER_INSERT)) {
    const values = rows.map(() => row).join(', ')
    const answer = await query(
      client,
      `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${values} ${tail}`,
      rows.flat()
    )
    all.rows.push(...answer.rows)
    all.changes += answer.changes
  }
  return { ...all, fresh: unique && freshIn(step.rows, columns, unique, all.rows) }
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

function parserOf(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  return oid === INT8 ? Number : (types.getTypeParser(oid, format) as (text: string) => unknown)
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? ''
}

function inWords(error: unknown): string {
  const { message, errors } = error as Error & { errors?: Error[] }
  const words = message || errors?.map(({ message }) => message).join(', ')
  return codeOf(error) === '53100' ? 'its disk is full' : words || 'unknown reason'
}
