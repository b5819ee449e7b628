import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { HttpError } from '../../http/errors'
import type { Upstreams } from './upstreams'

const TIMEOUT_MS = 5_000
/** The bridge takes batches of 4 MB. */
const MAX_BODY_BYTES = 4 * 1024 * 1024

/** What the page may ask the servers beside this one, `METHOD path` below `/tester`, and where that goes. */
const ROUTES = {
  sandbox: {
    'GET /sandbox/state': '/_sandbox/state',
    'GET /sandbox/stream': '/_sandbox/stream',
    'POST /sandbox/reset': '/_sandbox/reset',
    'POST /sandbox/faults': '/_sandbox/faults',
    'DELETE /sandbox/faults': '/_sandbox/faults',
    'PATCH /sandbox/keys/:id': '/_sandbox/keys/:id'
  },
  bridge: {
    'GET /bridge/keys': '/_bridge/keys',
    'GET /bridge/keys/:id/events': '/_bridge/keys/:id/events',
    'GET /bridge/dead-letters': '/_bridge/dead-letters',
    'GET /bridge/dead-letters/:id': '/_bridge/dead-letters/:id',
    'PUT /bridge/dead-letters/:id': '/_bridge/dead-letters/:id',
    'DELETE /bridge/dead-letters/:id': '/_bridge/dead-letters/:id',
    'POST /bridge/dead-letters/:id/retry': '/_bridge/dead-letters/:id/retry',
    'POST /bridge/events': '/api/segment/track'
  }
}
/** Its answer goes on for ever. */
const STREAM = '/_sandbox/stream'

interface Params {
  Params: { id?: string }
  Querystring: Record<string, string>
  Body: object | undefined
}

/** The routes of the page that the sandbox and the bridge answer. The token of the bridge stays here: the page never has it. */
export async function proxy(
  app: FastifyInstance,
  { upstreams }: { upstreams: () => Promise<Upstreams> }
): Promise<void> {
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

  const answer = async (
    name: 'sandbox' | 'bridge',
    to: string,
    { method, params: { id = '' }, query, headers, body }: FastifyRequest<Params>,
    reply: FastifyReply
  ) => {
    const { [name]: origin, bridgeToken } = await upstreams()
    if (!origin) throw new HttpError(404, `No ${name} runs beside this server: npm start runs one.`)
    if (!/^[\w-]*$/.test(id)) throw new HttpError(404, 'There is no such id.')
    const token = name === 'bridge' && bridgeToken
    const authorization = headers.authorization ?? (token && `Bearer ${token}`)
    const search = new URLSearchParams(query).toString()
    const json = body === undefined ? undefined : JSON.stringify(body)
    const answer = await fetch(`${origin}${to.replace(':id', id)}${search && `?${search}`}`, {
      method,
      headers: { ...(authorization && { authorization }), ...(json && { 'content-type': 'application/json' }) },
      body: json,
      redirect: 'error',
      signal: to === STREAM ? whileOpen(reply.raw) : AbortSignal.timeout(TIMEOUT_MS)
    }).catch(() => undefined)
    if (!answer) throw new HttpError(502, `The ${name} at ${origin} does not answer.`)
    void reply.code(answer.status).headers({
      'content-type': answer.headers.get('content-type') ?? 'text/plain',
      'cache-control': 'no-store'
    })
    if (to !== STREAM || !answer.body) return reply.send(await answer.text())
    const stream = Readable.fromWeb(answer.body as ReadableStream)
    stream.on('error', () => reply.raw.destroy())
    return reply.send(stream)
  }

  for (const name of ['sandbox', 'bridge'] as const) {
    for (const [route, to] of Object.entries(ROUTES[name])) {
      const [method, url] = route.split(' ')
      app.route<Params>({
        method,
        url,
        bodyLimit: MAX_BODY_BYTES,
        handler: (request, reply) => answer(name, to, request, reply)
      })
    }
  }
}
