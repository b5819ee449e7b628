import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { FastifyInstance } from 'fastify'
import { HttpError } from '../../http/errors'
import type { Upstreams } from './upstreams'

const TIMEOUT_MS = 5_000
/** The bridge takes batches of 4 MB. */
const MAX_BODY_BYTES = 4 * 1024 * 1024

/** A route of the sandbox or the bridge that the page may use. */
interface ProxyRoute {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path below the page's prefix. */
  path: string
  /** Path at the upstream. */
  to: string
  /** The answer is a stream that goes on for ever. */
  endless?: boolean
}

const SANDBOX: ProxyRoute[] = [
  { method: 'GET', path: '/state', to: '/_sandbox/state' },
  { method: 'GET', path: '/stream', to: '/_sandbox/stream', endless: true },
  { method: 'POST', path: '/reset', to: '/_sandbox/reset' },
  { method: 'POST', path: '/faults', to: '/_sandbox/faults' },
  { method: 'DELETE', path: '/faults', to: '/_sandbox/faults' },
  { method: 'PATCH', path: '/keys/:id', to: '/_sandbox/keys/:id' }
]

const BRIDGE: ProxyRoute[] = [
  { method: 'GET', path: '/keys', to: '/_bridge/keys' },
  { method: 'GET', path: '/keys/:id/events', to: '/_bridge/keys/:id/events' },
  { method: 'GET', path: '/dead-letters', to: '/_bridge/dead-letters' },
  { method: 'GET', path: '/dead-letters/:id', to: '/_bridge/dead-letters/:id' },
  { method: 'PUT', path: '/dead-letters/:id', to: '/_bridge/dead-letters/:id' },
  { method: 'DELETE', path: '/dead-letters/:id', to: '/_bridge/dead-letters/:id' },
  { method: 'POST', path: '/dead-letters/:id/retry', to: '/_bridge/dead-letters/:id/retry' },
  { method: 'POST', path: '/events', to: '/api/segment/track' }
]

interface ProxyOptions {
  upstreams: () => Promise<Upstreams>
}

/** What the page asks of the sandbox, at `/tester/sandbox/*`. */
export async function sandboxProxy(app: FastifyInstance, { upstreams }: ProxyOptions): Promise<void> {
  addRoutes(app, SANDBOX, 'sandbox', async () => ({ origin: (await upstreams()).sandbox }))
}

/** What the page asks of the bridge, at `/tester/bridge/*`. */
export async function bridgeProxy(app: FastifyInstance, { upstreams }: ProxyOptions): Promise<void> {
  addRoutes(app, BRIDGE, 'bridge', async () => {
    const { bridge, bridgeToken } = await upstreams()
    return { origin: bridge, token: bridgeToken }
  })
}

interface Upstream {
  origin?: string
  /** Sent along where the page sends no key of its own: the page never has it. */
  token?: string
}

function addRoutes(app: FastifyInstance, routes: ProxyRoute[], name: string, find: () => Promise<Upstream>): void {
  const streams = new Set<AbortController>()
  app.addHook('preClose', async () => streams.forEach((stream) => stream.abort()))
  /** Ends what is asked for a page when the page leaves or the server closes, also before it is answered. */
  const whileOpen = (response: ServerResponse): AbortSignal => {
    const ending = new AbortController()
    streams.add(ending)
    response.on('close', () => {
      streams.delete(ending)
      ending.abort()
    })
    return ending.signal
  }

  for (const { method, path, to, endless } of routes) {
    app.route<{ Params: { id?: string }; Querystring: Record<string, string>; Body: object | undefined }>({
      method,
      url: path,
      bodyLimit: MAX_BODY_BYTES,
      handler: async ({ params: { id = '' }, query, headers, body }, reply) => {
        const { origin, token } = await find()
        if (!origin) throw new HttpError(404, `No ${name} runs beside this server: npm start runs one.`)
        if (!/^[\w-]*$/.test(id)) throw new HttpError(404, 'There is no such id.')
        const authorization = headers.authorization ?? (token && `Bearer ${token}`)
        const search = new URLSearchParams(query).toString()
        const json = body === undefined ? undefined : JSON.stringify(body)
        const answer = await fetch(`${origin}${to.replace(':id', id)}${search && `?${search}`}`, {
          method,
          headers: { ...(authorization && { authorization }), ...(json && { 'content-type': 'application/json' }) },
          body: json,
          redirect: 'error',
          signal: endless ? whileOpen(reply.raw) : AbortSignal.timeout(TIMEOUT_MS)
        }).catch(() => undefined)
        if (!answer) throw new HttpError(502, `The ${name} at ${origin} does not answer.`)
        void reply.code(answer.status).headers({
          'content-type': answer.headers.get('content-type') ?? 'text/plain',
          'cache-control': 'no-store'
        })
        if (!endless || !answer.body) return reply.send(await answer.text())
        const stream = Readable.fromWeb(answer.body as ReadableStream)
        stream.on('error', () => reply.raw.destroy())
        return reply.send(stream)
      }
    })
  }
}
