import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify'
import Fastify from 'fastify'
import type { Logger } from 'pino'
import { hostnameOf, isLoopback } from '../http/loopback'
import { controlRoutes } from './control'
import type { RefusalAnswer } from './ingest/answers'
import { Refusal, refusalAnswer } from './ingest/answers'
import { DOORS } from './ingest/doors'
import type { Receiver } from './ingest/receive'
import { receive } from './ingest/receive'
import type { BridgeMetrics } from './metrics'
import type { Queue } from './queue'

/** What the bridge's HTTP side is made of. */
export interface AppParts extends Receiver {
  queue: Pick<Queue, 'enqueue' | 'ping' | 'partitions' | 'deadLetters'>
  metrics: BridgeMetrics
  log: Logger
  /** The host names requests may be for, besides those of this machine; absent: any. */
  hosts?: ReadonlySet<string>
  /** Whether to serve `/_bridge/*`. */
  control: boolean
  /** True from the moment the bridge is told to stop: from then on nothing is taken in. */
  isStopping: () => boolean
  /** How long the head, and the whole, of a request may take to come in, in ms; default 10 s and 30 s. */
  patience?: { head: number; body: number }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The name of the door, for routes that are one. */
    door?: string
  }
}

const FOREIGN_HOST = 'the bridge does not serve this host name: start it with --allow-host, or with --host to serve all'

const UNFORESEEN: RefusalAnswer = {
  status: 503,
  error: 'something went wrong in the bridge, try again',
  retryAfter: 10
}

/** The doors, health, metrics and control, not yet listening. Every error is answered in one line of JSON, `{error}`. */
export function buildApp(parts: AppParts): FastifyInstance {
  const { queue, metrics, log, hosts, isStopping, patience = { head: 10_000, body: 30_000 } } = parts
  const app = Fastify({
    requestTimeout: patience.body,
    keepAliveTimeout: 72_000,
    http: { headersTimeout: patience.head, connectionsCheckingInterval: patience.head / 5 },
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, caseSensitive: false },
    frameworkErrors: (error, _request, reply: FastifyReply) => void reply.code(400).send({ error: error.message })
  })
  // The doors read bodies themselves: they have to take any content type, even a malformed one.
  app.addHttpMethod('POST', { hasBody: false, overrideExisting: true })

  app.addHook('onRequest', async (request, reply) => {
    if (isStopping()) {
      reply.header('connection', 'close')
      throw new Refusal(503, 'the bridge is stopping, try again', 5)
    }
    const host = hostnameOf(request.headers.host) ?? ''
    if (hosts !== undefined && !isLoopback(host) && !hosts.has(host)) throw new Refusal(403, FOREIGN_HOST)
  })

  app.addHook('onResponse', async ({ routeOptions }, reply) => {
    const { door } = routeOptions.config
    if (door !== undefined) metrics.answered(door, reply.statusCode, reply.elapsedTime / 1000)
  })

  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const known = refusalAnswer(error)
    const { status, error: words, retryAfter } = known ?? UNFORESEEN
    const door = request.routeOptions.config.door
    if (known === undefined) log.error({ err: error, door }, 'unexpected error')
    else log.warn({ door, status, why: error.message }, 'refused a request')
    if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
    if (status === 401) reply.header('www-authenticate', 'Bearer')
    return reply.code(status).send({ error: words })
  })

  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error: 'not here: POST events to /api/segment/track, /api/rudderstack/track or /v1/batch' })
  )

  for (const door of DOORS) {
    app.post<{ Querystring: Record<string, string | string[]> }>(
      door.path,
      { config: { door: door.name } },
      async ({ raw, query }) => {
        const receipt = await receive(door, raw, query, parts)
        metrics.received(door.name, receipt)
        log.debug({ door: door.name, ...receipt }, 'took a request')
        return receipt
      }
    )
  }

  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/readyz', async () => {
    await queue.ping()
    return { status: 'ready' }
  })
  app.get('/metrics', async (_request, reply) => {
    const text = await metrics.scrape()
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(text)
  })
  if (parts.control) app.register(async (control) => controlRoutes(control, queue), { prefix: '/_bridge' })
  return app
}
