import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { FastifyInstance } from 'fastify'
import { refuseOtherMachines } from './guard'

const PATIENCE_MS = 5_000

/** A route of a neighbour that the page may use: method, path below the prefix, and whether it goes on for ever. */
interface Passage {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  path: string
  endless?: boolean
}

const SANDBOX: Passage[] = [
  { method: 'GET', path: '/state' },
  { method: 'GET', path: '/stream', endless: true },
  { method: 'POST', path: '/reset' },
  { method: 'POST', path: '/faults' },
  { method: 'DELETE', path: '/faults' },
  { method: 'PATCH', path: '/keys/:id' }
]

const BRIDGE: Passage[] = [
  { method: 'GET', path: '/lanes' },
  { method: 'GET', path: '/dead-letters' },
  { method: 'POST', path: '/dead-letters/:id/retry' }
]

/** `/tester/sandbox/*` is `/_sandbox/*` of the sandbox. */
export async function sandboxProxy(app: FastifyInstance, { sandbox }: { sandbox?: string }): Promise<void> {
  passOn(app, SANDBOX, 'sandbox', sandbox && `${sandbox}/_sandbox`)
}

/** `/tester/bridge/*` is `/_bridge/*` of the bridge. */
export async function bridgeProxy(app: FastifyInstance, { bridge }: { bridge?: string }): Promise<void> {
  passOn(app, BRIDGE, 'bridge', bridge && `${bridge}/_bridge`)
}

function passOn(app: FastifyInstance, passages: Passage[], name: string, base: string | undefined): void {
  const streams = new Set<AbortController>()
  app.addHook('onRequest', refuseOtherMachines)
  app.addHook('preClose', async () => streams.forEach((stream) => stream.abort()))

  for (const { method, path, endless } of passages) {
    app.route<{ Params: { id?: string }; Body: object | undefined }>({
      method,
      url: path,
      handler: async ({ params: { id = '' }, body, raw }, reply) => {
        if (!base) return reply.code(404).send({ error: `No ${name} runs beside this server: npm start runs one.` })
        if (!/^[\w-]*$/.test(id)) return reply.code(404).send({ error: 'There is no such id.' })
        const ending = new AbortController()
        const answer = await fetch(base + path.replace(':id', id), {
          method,
          ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
          redirect: 'error',
          signal: endless ? ending.signal : AbortSignal.timeout(PATIENCE_MS)
        }).catch(() => undefined)
        if (!answer) return reply.code(502).send({ error: `The ${name} at ${new URL(base).origin} does not answer.` })
        void reply.code(answer.status).headers({
          'content-type': answer.headers.get('content-type') ?? 'text/plain',
          'cache-control': 'no-store'
        })
        if (!endless || !answer.body) return reply.send(await answer.text())
        streams.add(ending)
        raw.on('close', () => ending.abort())
        ending.signal.addEventListener('abort', () => streams.delete(ending))
        const stream = Readable.fromWeb(answer.body as ReadableStream)
        stream.on('error', () => reply.raw.destroy())
        return reply.send(stream)
      }
    })
  }
}
