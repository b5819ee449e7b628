import type { FastifyInstance, FastifyReply } from 'fastify'
import Fastify from 'fastify'
import type { Logger } from 'pino'
import { answerClientError, answerErrors, errorAnswer, HttpError } from '../http/errors'
import type { ErrorAnswer } from '../http/errors'
import { localHostOnly } from '../http/guards'
import { noSchemas } from '../http/no-schemas'
import { adminApi } from './admin'
import type { CallsLeft } from './delivery'
import { createIngest } from './ingest/receive'
import type { IngestParts, Query } from './ingest/receive'
import { SOURCES } from './ingest/sources'
import { logRefusals } from './log'
import type { BridgeMetrics } from './metrics'
import { PartitionRefused, QueueFull, QueueUnavailable } from './queue'
import type { Queue } from './queue'

/** What the bridge's HTTP side is made of. */
export interface AppParts extends IngestParts {
  queue: Pick<Queue, 'enqueue' | 'isProven' | 'ping' | 'partitions' | 'deadLetters' | 'forget'>
  metrics: BridgeMetrics
  log: Logger
  /** The host names requests may be for, besides those of this machine; absent: any. */
  hosts?: ReadonlySet<string>
  /** The last address in `X-Forwarded-For` is the sender's: a proxy in front has written it there. */
  trustProxy?: boolean
  /** Serve `/_bridge/*` to those who have it. */
  adminToken?: string
  /** How many calls the key of a partition has left this minute, as far as this process knows. */
  callsLeft?: Pick<CallsLeft, 'of'>
  /** True from the moment the bridge is told to stop: from then on nothing is taken in. */
  isStopping: () => boolean
  /** How long the head, and the whole, of a request may take to come in, in ms; default 10 s and 30 s. */
  timeout?: { head: number; body: number }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The name of the source, for routes that take events. */
    source?: string
  }
}

/** Ingest, health, metrics and admin API, not yet listening. Every error is answered in one line of JSON, `{error}`. */
export function buildApp(parts: AppParts): FastifyInstance {
  const { queue, metrics, log, hosts, isStopping, timeout = { head: 10_000, body: 30_000 } } = parts
  const app = Fastify({
    schemaController: noSchemas,
    requestTimeout: timeout.body,
    keepAliveTimeout: 72_000,
    http: { headersTimeout: timeout.head, connectionsCheckingInterval: timeout.head / 5 },
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, caseSensitive: false },
    trustProxy: parts.trustProxy ? (_address, hop) => hop === 0 : false,
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, _request, reply: FastifyReply) => void reply.code(400).send({ error: error.message })
  })
  // The ingest reads bodies itself: it has to take any content type, even a malformed one.
  app.addHttpMethod('POST', { hasBody: false, overrideExisting: true })

  app.addHook('onRequest', async () => {
    if (isStopping()) throw trouble('the bridge is stopping, try again', 5, { connection: 'close' })
  })
  if (hosts) app.addHook('onRequest', localHostOnly('start it with --allow-host, or with --host to serve all', hosts))
  const refusals = logRefusals(log)
  app.addHook('onError', async ({ routeOptions }, _reply, error) => {
    const { source } = routeOptions.config
    if (known(error)) refusals({ source, status: explain(error).status, why: error.message })
    else log.error({ err: error, source }, 'unexpected error')
  })
  app.addHook('onResponse', async ({ routeOptions }, reply) => {
    const { source } = routeOptions.config
    if (source !== undefined) metrics.answered(source, reply.statusCode, reply.elapsedTime / 1000)
  })
  answerErrors(app, explain)
  app.setNotFoundHandler(() => {
    throw new HttpError(404, 'not here: POST events to /api/segment/track, /api/rudderstack/track or /v1/batch')
  })

  const receive = createIngest(parts)
  for (const source of SOURCES) {
    app.post<{ Querystring: Query }>(source.path, { config: { source: source.name } }, async ({ raw, ip, query }) => {
      const receipt = await receive(source, raw, ip, query)
      metrics.received(source.name, receipt)
      log.debug({ source: source.name, ...receipt }, 'took a request')
      return receipt
    })
    app.route({
      method: ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
      url: source.path,
      onRequest: postOnly,
      handler: postOnly
    })
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
  const { adminToken: token, callsLeft } = parts
  if (token !== undefined) void app.register(adminApi, { prefix: '/_bridge', queue, token, callsLeft })
  return app
}

async function postOnly(): Promise<void> {
  throw new HttpError(405, 'events are sent with POST', { allow: 'POST' })
}

/**
 * The answer for whatever went wrong. A 4xx other than 408 and 429 makes both senders throw the events away, so it is only
 * for what cannot become right by itself; all trouble of ours is 503, which is sent again, and nothing is ever 501, which
 * Segment drops.
 */
function explain(error: Error): ErrorAnswer {
  return errorAnswer(known(error) ?? trouble('something went wrong in the bridge, try again', 10))
}

function known(error: Error): HttpError | undefined {
  if (error instanceof HttpError) return error
  if (error instanceof PartitionRefused) return new HttpError(401, error.message, { 'www-authenticate': 'Bearer' })
  if (error instanceof QueueFull) {
    return new HttpError(error.scope === 'partition' ? 429 : 503, error.message, {
      'retry-after': String(error.retryAfter)
    })
  }
  if (error instanceof QueueUnavailable) return trouble('the bridge cannot store anything right now, try again', 10)
  return undefined
}

function trouble(message: string, retryAfter: number, headers: Record<string, string> = {}): HttpError {
  return new HttpError(503, message, { 'retry-after': String(retryAfter), ...headers })
}
