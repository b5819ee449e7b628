import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Database from 'libsql'
import { Client } from 'pg'
import { hasPgBouncer, PgBouncer } from './pgbouncer'
import { sharedPostgres } from './postgres'

export const SECRET = 'a secret for tests, long enough'

const ENGINES = ['SQLite', 'Postgres', 'Postgres through PgBouncer'] as const
export type EngineName = (typeof ENGINES)[number]

/** What this machine has. PgBouncer comes with no package. */
export const engines = ENGINES.filter((engine) => engine !== 'Postgres through PgBouncer' || hasPgBouncer)

/** Places for stores, all of them gone when the tests of the file are done. */
export interface Stores {
  /** A target for `openQueue`, empty until it is opened. */
  fresh(): Promise<string>
  /** A store as `make` leaves it, which is asked once: always the same one, with what was done to its rows undone. */
  unused(make: (target: string) => Promise<void>): Promise<string>
}

/** A connection to a store, past the queue. */
interface Connection {
  run(statements: string): Promise<void>
  read(query: string): Promise<object[]>
  end(): Promise<void>
}

async function connect(target: string): Promise<Connection> {
  if (target.startsWith('postgres://')) {
    const client = new Client({ connectionString: target, types: { getTypeParser: () => numberOrText } })
    await client.connect()
    return {
      run: async (statements) => void (await client.query(statements)),
      read: async (query) => (await client.query<object>(query)).rows,
      end: () => client.end()
    }
  }
  const database = new Database(target)
  database.exec('PRAGMA synchronous = OFF')
  return {
    run: async (statements) => void database.exec(statements),
    read: async (query) => database.prepare(query).all() as object[],
    end: async () => void database.close()
  }
}

/** Whole numbers are numbers in either engine. */
function numberOrText(text: string): string | number {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : text
}

/** Runs statements on a store, past the queue. */
export async function runSql(target: string, statements: string): Promise<void> {
  const connection = await connect(target)
  await connection.run(statements)
  await connection.end()
}

/** The rows of every table that hold what a store is for: no trace of who has worked on it. */
export async function everythingIn(target: string): Promise<Record<string, object[]>> {
  const connection = await connect(target)
  const all: Record<string, object[]> = {}
  for (const name of await tablesOf(target, connection)) {
    if (['workers', 'schema_versions', 'meta'].includes(name)) continue
    const rows = await connection.read(`SELECT * FROM ${name}`)
    all[name] = rows.map((row) => Object.fromEntries(Object.entries(row).sort())).sort(byText)
  }
  await connection.end()
  return all
}

async function tablesOf(target: string, connection: Connection): Promise<string[]> {
  const tables = (await connection.read(
    target.startsWith('postgres://')
      ? 'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()'
      : `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'`
  )) as { name: string }[]
  return tables.map(({ name }) => name)
}

function byText(one: object, other: object): number {
  return JSON.stringify(one) < JSON.stringify(other) ? -1 : 1
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
  return { fresh, unused: restored(fresh) }
}

const postgresSchemas = (): Stores => ({ fresh: freshSchema, unused: restored(freshSchema) })

/** A new, empty schema: a Postgres store of its own. */
export const freshSchema = async (): Promise<string> => (await sharedPostgres()).freshSchema()

/** @param direct the URL of a store for who wants to keep one connection */
function restored(fresh: Stores['fresh'], direct = (target: string) => target): Stores['unused'] {
  let made: { target: string; connection: Connection; restore: string } | undefined
  afterAll(() => made?.connection.end())
  return async (make) => {
    if (made) await made.connection.run(made.restore)
    else {
      const target = await fresh()
      await make(target)
      const connection = await connect(direct(target))
      const tables = await tablesOf(target, connection)
      for (const name of tables) await connection.run(`CREATE TEMPORARY TABLE kept_${name} AS SELECT * FROM ${name}`)
      const rows = tables.map((name) => `DELETE FROM ${name}; INSERT INTO ${name} SELECT * FROM kept_${name}`)
      made = { target, connection, restore: ['BEGIN', ...rows, 'COMMIT'].join(';') }
    }
    return made.target
  }
}

function pooledDatabases(): Stores {
  let bouncer: PgBouncer
  beforeAll(async () => {
    bouncer = await PgBouncer.start((await sharedPostgres()).url)
  }, 60_000)
  afterAll(() => bouncer.end())
  const fresh = async () => bouncer.through(await (await sharedPostgres()).freshDatabase())
  return { fresh, unused: restored(fresh, (target) => bouncer.past(target)) }
}
