import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Client } from 'pg'
import { freePort } from '../../../../../__tests__/__helpers__/free-port'

/** Whether this machine has one. */
export const hasPgBouncer = spawnSync('pgbouncer', ['--version']).status === 0

/** It refuses to run as root; then it runs as nobody, who is on every system. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

/** A PgBouncer in transaction mode: each transaction may get another connection to Postgres. */
export class PgBouncer {
  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    private readonly port: number,
    private readonly serverPort: string
  ) {}

  /** @param server URL of the Postgres behind it */
  static async start(server: string): Promise<PgBouncer> {
    const { hostname, port: serverPort, username } = new URL(server)
    const folder = mkdtempSync(path.join(tmpdir(), 'bridge-pgbouncer-'))
    chmodSync(folder, 0o755)
    const port = await freePort()
    const config = path.join(folder, 'pgbouncer.ini')
    writeFileSync(
      config,
      `[databases]
* = host=${hostname} port=${serverPort} user=${username}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 5
server_idle_timeout = 1
`
    )
    const bouncer = spawn('pgbouncer', ['--quiet', config], { ...NOBODY, stdio: 'ignore' })
    await answering(bouncer, `postgres://any@127.0.0.1:${port}/postgres`)
    return new PgBouncer(bouncer, folder, port, serverPort)
  }

  /** The URL of a database, through it. */
  through(database: string): string {
    return atPort(String(this.port), database)
  }

  /** The URL of a database, not through it. */
  past(database: string): string {
    return atPort(this.serverPort, database)
  }

  async end(): Promise<void> {
    const exit = once(this.process, 'exit')
    this.process.kill('SIGKILL')
    await exit
    rmSync(this.folder, { recursive: true })
  }
}

function atPort(port: string, database: string): string {
  const url = new URL(database)
  url.port = port
  return url.href
}

async function answering(bouncer: ChildProcess, url: string): Promise<void> {
  while (bouncer.exitCode === null) {
    const client = new Client(url)
    const isThere = await client.connect().then(
      () => true,
      () => false
    )
    await client.end()
    if (isThere) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`pgbouncer ended with ${bouncer.exitCode}`)
}
