import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { createRequire } from 'module'
import path from 'node:path'

/*
 * What one would write without the bridge: Express takes the events, BullMQ puts them into Redis, each once by its
 * messageId, and then the request is answered. The packages are those of bench/package.json.
 */

interface Job {
  name: string
  data: unknown
  opts: { jobId: string }
}

interface Express extends RequestListener {
  use(handler: unknown): void
  post(path: string, handler: (request: IncomingMessage & { body: unknown }, response: ServerResponse) => void): void
}

type Queue = new (name: string, options: { connection: { host: string; port: number } }) => {
  addBulk(jobs: Job[]): Promise<unknown>
}

export function expressBullmq(redisPort: number): Server {
  const requireFromBench = createRequire(path.join(__dirname, '../package.json'))
  const express = requireFromBench('express') as (() => Express) & { json(options: { limit: string }): unknown }
  const { Queue } = requireFromBench('bullmq') as { Queue: Queue }
  const queue = new Queue('events', { connection: { host: '127.0.0.1', port: redisPort } })
  const app = express()
  app.use(express.json({ limit: '1mb' }))
  app.post('/api/segment/track', (request, response) => {
    const events = (Array.isArray(request.body) ? request.body : [request.body]) as {
      type: string
      messageId: string
    }[]
    const jobs = events.map((event) => ({ name: event.type, data: event, opts: { jobId: event.messageId } }))
    void queue.addBulk(jobs).then(() => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ accepted: events.length }))
    })
  })
  return createServer(app)
}
