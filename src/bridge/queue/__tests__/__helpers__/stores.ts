import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Database from 'libsql'
import { Client } from 'pg'
import { freePort } from '../../../../../__tests__/__helpers__/free-port'
import { hasPgBouncer, PgBouncer } from './pgbouncer'

export const SECRET = 'a secret for tests, long enough'

const ENGINES = ['SQLite', 'Postgres', 'Postgres through PgBouncer'] as const
export type EngineName = (typeof ENGINES)[number]

/** What this machine has. PgBouncer comes with no package. */
export const engines = ENGINES.filter((engine) => engine !== 'Postgres through PgBouncer' || hasPgBouncer)

/** Places for stores, all of them gone when the tests of the file are done. */
export interface Stores {
  /** A target for `openQueue`, empty until it is opened. */
  fresh(): Promise<string>
  /**
   * A store as `make` leaves it, which is asked once. On Postgres it is always the same one, with what was done to its rows
   * undone: making tables takes longer than most tests.
   */
  unused(make: (target: string) => Promise<void>): Promise<string>
}

/** Runs statements on a store, past the queue. */
export async function runSql(target: string, statements: string): Promise<void> {
  if (target.startsWith('postgres://')) {
    const client = new Client({ connectionString: target })
    await client.connect()
    await client.query(statements)
    await client.end()
  } else {
    const database = new Database(target)
    database.exec(statements)
    database.close()
  }
}

/** The rows of every table that hold what a store is for: no trace of who has worked on it. */
export async function everythingIn(target: string): Promise<Record<string, object[]>> {
  const read = await readerOf(target)
  const tables = await read(
    target.startsWith('postgres://')
      ? 'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()'
      : `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'`
  )
  const all: Record<string, object[]> = {}
  for (const { name } of tables as { name: string }[]) {
    if (['workers', 'schema_versions', 'meta'].includes(name)) continue
    const rows = (await read(`SELECT * FROM ${name}`)) as object[]
    all[name] = rows.map((row) => Object.fromEntries(Object.entries(row).sort())).sort(byText)
  }
  await read.end()
  return all
}

function byText(one: object, other: object): number {
  return JSON.stringify(one) < JSON.stringify(other) ? -1 : 1
}

async function readerOf(target: string) {
  if (target.startsWith('postgres://')) {
    const client = new Client({ connectionString: target, types: { getTypeParser: () => numberOrText } })
    await client.connect()
    return Object.assign(async (sql: string) => (await client.query(sql)).rows as unknown[], {
      end: () => client.end()
    })
  }
  const database = new Database(target)
  const read = async (sql: string) => database.prepare(sql).all()
  return Object.assign(read, { end: async () => void database.close() })
}

/** Whole numbers are numbers in either engine. */
function numberOrText(text: string): string | number {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : text
}

/** To be called inside a `describe`. */
export function stores(engine: EngineName): Stores {
  if (engine === 'SQLite') return sqliteFiles()
  return engine === 'Postgres' ? postgresSchemas() : pooledDatabases()
}

export function sqliteFiles(): Stores {
  const folder = mkdtempSync(path.join(tmpdir(), 'bridge-sqlite-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const fresh = async () => path.join(folder, `${randomBytes(6).toString('hex')}.db`)
  let made: string | undefined
  return {
    fresh,
    unused: async (make) => {
      if (!made) {
        const first = await fresh()
        await make(first)
        made = first
      }
      const target = await fresh()
      copyFileSync(made, target)
      return target
    }
  }
}

function postgresSchemas(): Stores {
  let server: PostgresServer
  beforeAll(async () => {
    server = await PostgresServer.start()
  }, 60_000)
  afterAll(() => server.end())
  return { fresh: () => server.freshSchema(), unused: restored(() => server.freshSchema()) }
}

function restored(fresh: Stores['fresh']): Stores['unused'] {
  let made: { target: string; restore: string } | undefined
  return async (make) => {
    if (!made) {
      const [kept, target] = [await fresh(), await fresh()]
      for (const each of [kept, target]) await make(each)
      made = { target, restore: await restoring(kept) }
    }
    await runSql(made.target, made.restore)
    return made.target
  }
}

/** Statements that give the tables of another schema the rows that this one has now. */
async function restoring(kept: string): Promise<string> {
  const read = await readerOf(kept)
  const tables = (await read(
    'SELECT table_schema AS schema, table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()'
  )) as { schema: string; name: string }[]
  await read.end()
  return tables
    .map(({ schema, name }) => `DELETE FROM ${name}; INSERT INTO ${name} SELECT * FROM ${schema}.${name}`)
    .join(';')
}

function pooledDatabases(): Stores {
  let server: PostgresServer
  let bouncer: PgBouncer
  beforeAll(async () => {
    server = await PostgresServer.start()
    bouncer = await PgBouncer.start(server.url)
  }, 60_000)
  afterAll(async () => {
    await bouncer.end()
    await server.end()
  })
  const fresh = async () => bouncer.through(await server.freshDatabase())
  return {
    fresh,
    unused: async (make) => {
      const target = await fresh()
      await make(target)
      return target
    }
  }
}

/** A Postgres server of our own, on a free port. */
export class PostgresServer {
  private constructor(private readonly process: ChildProcess, readonly url: string) {}

  /** @param durable what is committed is on disk; no test needs that, measuring does */
  static async start({ durable = false } = {}): Promise<PostgresServer> {
    const args = [String(await freePort()), ...(durable ? ['durable'] : [])]
    const server = fork(path.join(__dirname, 'postgres-server.mjs'), args, { execArgv: [] })
    const [{ url, error }] = (await once(server, 'message')) as [{ url?: string; error?: string }]
    if (url === undefined) throw new Error(`Postgres does not start: ${error}`)
    return new PostgresServer(server, url)
  }

  /** URL whose connections see a new, empty schema. */
  async freshSchema(): Promise<string> {
    const schema = `test_${randomBytes(6).toString('hex')}`
    await runSql(this.url, `CREATE SCHEMA ${schema}`)
    return `${this.url}?options=${encodeURIComponent(`-c search_path=${schema}`)}`
  }

  /** URL of a new, empty database: a pooler passes on no choice of a schema. */
  async freshDatabase(): Promise<string> {
    const database = `test_${randomBytes(6).toString('hex')}`
    await runSql(this.url, `CREATE DATABASE ${database}`)
    const url = new URL(this.url)
    url.pathname = database
    return url.href
  }

  /** Stops the server, or starts it again with what it had. */
  async turn(command: 'stop' | 'start'): Promise<void> {
    this.process.send(command)
    await once(this.process, 'message')
  }

  async end(): Promise<void> {
    const exit = once(this.process, 'exit')
    this.process.disconnect()
    await exit
  }
}
