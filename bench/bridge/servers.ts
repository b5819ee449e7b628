import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePort } from '../../__tests__/__helpers__/free-port'

/** A Redis that has on disk what it has answered, as the bridge has. */
export interface Redis {
  port: number
  end(): Promise<void>
}

/** @returns undefined where there is no redis-server */
export async function startRedis(): Promise<Redis | undefined> {
  if (spawnSync('redis-server', ['--version']).status !== 0) return undefined
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-redis-'))
  const port = await freePort()
  const address = ['--port', String(port), '--bind', '127.0.0.1']
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '']
  const server = spawn('redis-server', [...address, ...durable, '--dir', folder], { stdio: 'ignore' })
  await listening(server, port)
  return {
    port,
    async end() {
      const exit = once(server, 'exit')
      server.kill()
      await exit
      await rm(folder, { recursive: true })
    }
  }
}

async function listening(server: ChildProcess, port: number): Promise<void> {
  while (server.exitCode === null) {
    const socket = connect(port, '127.0.0.1')
    const [event] = await Promise.race([
      once(socket, 'connect').then(() => ['connect']),
      once(socket, 'error').then(() => ['error'])
    ]).catch(() => ['error'])
    socket.destroy()
    if (event === 'connect') return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`redis-server ended with ${server.exitCode}`)
}
