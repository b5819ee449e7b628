import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import path from 'node:path'
import { json } from 'node:stream/consumers'
import { freePort } from '../../../../../__tests__/__helpers__/free-port'

/** A Postgres server, with places for stores. */
export class Postgres {
  /** @param url of a superuser */
  constructor(readonly url: string) {}

  /** URL whose connections see a new, empty schema. */
  async freshSchema(): Promise<string> {
    const schema = `test_${randomBytes(6).toString('hex')}`
    await this.run(`CREATE SCHEMA ${schema}`)
    return `${this.url}?options=${encodeURIComponent(`-c search_path=${schema}`)}`
  }

  /** URL of a new, empty database: a pooler passes on no choice of a schema. */
  async freshDatabase(): Promise<string> {
    const database = `test_${randomBytes(6).toString('hex')}`
    await this.run(`CREATE DATABASE ${database}`)
    const url = new URL(this.url)
    url.pathname = database
    return url.href
  }

  private async run(statement: string): Promise<void> {
    // Not at the top: jest reads this file each time it starts.
    const { Client } = await import('pg')
    const client = new Client(this.url)
    await client.connect()
    await client.query(statement)
    await client.end()
  }
}

/** What `sharedPostgres` is answered by what jest has set up. */
export type Lent = { url: string; error?: undefined } | { url?: undefined; error: string }

/** The server that all files of a test run share: to start one takes longer than most of them. */
export async function sharedPostgres(): Promise<Postgres> {
  const { url, error } = (await json(connect(Number(process.env.TEST_POSTGRES_LENDER), '127.0.0.1'))) as Lent
  if (url === undefined) throw new Error(error)
  return new Postgres(url)
}

/** A server of one's own, on a free port: to be stopped, or to be measured. */
export class PostgresServer extends Postgres {
  private constructor(private readonly process: ChildProcess, url: string) {
    super(url)
  }

  /** @param durable what is committed is on disk; no test needs that, measuring does */
  static async start({ durable = false } = {}): Promise<PostgresServer> {
    const args = [String(await freePort()), ...(durable ? ['durable'] : [])]
    const server = fork(path.join(__dirname, 'postgres-server.mjs'), args, { execArgv: [] })
    const [{ url, error }] = (await once(server, 'message')) as [{ url?: string; error?: string }]
    if (url === undefined) throw new Error(`Postgres does not start: ${error}`)
    return new PostgresServer(server, url)
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
