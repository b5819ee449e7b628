import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import Database from 'libsql'
import type { AddressInfo } from 'node:net'
import pino from 'pino'
import { buildApp } from '../../src/bridge/app'
import { startDelivery } from '../../src/bridge/delivery'
import { Memory } from '../../src/bridge/ingest/memory'
import type { Normalized } from '../../src/bridge/ingest/normalize'
import { normalize } from '../../src/bridge/ingest/normalize'
import { createMetrics } from '../../src/bridge/metrics'
import type { Queue } from '../../src/bridge/queue'
import { openQueue } from '../../src/bridge/queue'
import { prove } from '../../src/bridge/queue/__tests__/__helpers__/prove'
import { SECRET } from '../../src/bridge/queue/__tests__/__helpers__/stores'
import { expressBullmq } from './express-bullmq'
import { KEY, kilobyteEvent } from './load'

/*
 * What is measured runs in a process of its own, so that nothing inherits another's memory. `role ...arguments` come on the
 * command line, results go to the parent as messages, and everything ends with the parent.
 */

const roles: Record<string, (...args: string[]) => Promise<void>> = {
  /** The ingest in front of a store. */
  async storing(target, ...keys) {
    const queue = await open(target)
    await prove(queue, ...keys)
    await serve(queue)
  },

  /** The same ingest in front of nothing. */
  async forgetting() {
    const queue = await open(':memory:')
    await prove(queue, KEY)
    queue.enqueue = async (_partition, { events }) => ({ accepted: events.length, duplicates: 0 })
    await serve(queue)
  },

  /** What one would write without the bridge. */
  async 'express-bullmq'(redisPort) {
    const server = expressBullmq(Number(redisPort)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    tell({ port: (server.address() as AddressInfo).port })
  },

  /** The rows themselves into a bare SQLite table, a hundred in a transaction, as durable as the bridge. */
  async inserting(file, seconds) {
    const database = new Database(file)
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    database.exec('CREATE TABLE rows (id INTEGER PRIMARY KEY, message_id TEXT NOT NULL UNIQUE, body TEXT NOT NULL)')
    const insert = database.prepare('INSERT INTO rows (message_id, body) VALUES (?, ?)')
    const until = performance.now() + Number(seconds) * 1000
    const started = performance.now()
    let rows = 0
    while (performance.now() < until) {
      database.exec('BEGIN IMMEDIATE')
      for (let i = 0; i < 100; i++) insert.run(randomUUID(), kilobyteEvent(rows++))
      database.exec('COMMIT')
    }
    tell({ perSecond: (rows / (performance.now() - started)) * 1000 })
  },

  /** Puts identifies into a store, as if the ingest had taken them. */
  async filling(file, total) {
    const queue = await open(file)
    await prove(queue, KEY)
    const request = { options: {}, receivedAt: new Date() }
    for (let n = 0; n < Number(total); n += 1000) {
      const taken: Normalized = { events: [], rejected: [], ignored: 0 }
      for (let i = 0; i < 1000; i++) normalize(JSON.parse(kilobyteEvent(n + i)), request, taken)
      await queue.enqueue({ apiKey: KEY }, taken)
    }
    await queue.close()
    tell({})
  },

  /** Delivers what comes into a store. */
  async delivering(target, apiUrl) {
    startDelivery({ queue: await open(target), apiUrl, log: pino({ level: 'silent' }), pollMs: 50 })
    tell({})
  },

  /** Delivers all that is in a store, and watches its own memory. */
  async draining(file, apiUrl) {
    const queue = await open(file)
    const started = performance.now()
    let peak = 0
    setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 50)
    const delivery = startDelivery({ queue, apiUrl, log: pino({ level: 'silent' }) })
    while ((await queue.stats()).events > 0) await new Promise((resolve) => setTimeout(resolve, 200))
    tell({ megabytes: peak / 1e6, seconds: (performance.now() - started) / 1000 })
    await delivery.stop()
    await queue.close()
  },

  /** An EmailSendX that agrees to everything at once, knows everybody, and never limits anybody. */
  async agreeing() {
    const server = createServer((request, response) => {
      request.resume().on('end', () => {
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ data: answerTo(new URL(request.url ?? '', 'http://localhost')) }))
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    tell({ port: (server.address() as AddressInfo).port })
  }
}

function answerTo({ pathname, searchParams }: URL): unknown {
  const email = searchParams.get('search')
  if (email !== null) return [{ id: `id of ${email}`, email }]
  return pathname.endsWith('/events') ? { matchingAutomations: 1 } : { summary: { failed: 0 }, errors: [] }
}

async function open(target: string): Promise<Queue> {
  // EmailSendX is on localhost here (see definitions/emailsendx/connection.ts).
  process.env.EMAILSENDX_ALLOW_HTTP = '1'
  return openQueue(target, { secret: SECRET })
}

async function serve(queue: Queue): Promise<void> {
  const memory = new Memory()
  const log = pino({ level: 'silent' })
  const app = buildApp({
    queue,
    memory,
    metrics: createMetrics(queue, memory),
    log,
    maxEventBytes: 32_000,
    isStopping: () => false
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  tell({ port: (app.server.address() as AddressInfo).port })
}

function tell(message: object): void {
  process.send?.(message)
}

process.on('disconnect', () => process.exit())
const [role, ...args] = process.argv.slice(2)
void roles[role](...args)
