import { once } from 'node:events'
import http from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import { proxy } from '../tester/proxy'

/** Where a sandbox would be; it answers when the test says so. */
let sandbox: http.Server
let app: FastifyInstance
let page: string

beforeEach(async () => {
  sandbox = await listening(http.createServer())
  app = fastify()
  void app.register(proxy, { upstreams: async () => ({ sandbox: originOf(sandbox) }) })
  await app.listen({ port: 0, host: '127.0.0.1' })
  page = originOf(app.server)
})
afterEach(async () => {
  await app.close()
  sandbox.closeAllConnections()
  sandbox.close()
})

async function listening(server: http.Server): Promise<http.Server> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return server
}

function originOf(server: http.Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function nextRequest(): Promise<ServerResponse> {
  const [, response] = (await once(sandbox, 'request')) as [IncomingMessage, ServerResponse]
  return response
}

function begin(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write('retry: 1000\n\n')
}

/** A page that has the stream open. */
async function open(): Promise<{ request: http.ClientRequest; answer: IncomingMessage; upstream: ServerResponse }> {
  const request = http.get(`${page}/sandbox/stream`).on('error', () => undefined)
  const upstream = await nextRequest()
  begin(upstream)
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  answer.on('error', () => undefined)
  await once(answer, 'data')
  return { request, answer, upstream }
}

describe("the sandbox's stream, when the server closes", () => {
  it('ends for a page that is still there', async () => {
    const { answer, upstream } = await open()
    const ended = Promise.all([new Promise((resolve) => answer.once('close', resolve)), once(upstream, 'close')])
    await app.close()
    await ended
  })

  it('has ended for a page that left it', async () => {
    const { request, upstream } = await open()
    const ended = once(upstream, 'close')
    request.destroy()
    await ended
    await app.close()
  })

  it('has ended for a page that left it before the sandbox answered', async () => {
    const request = http.get(`${page}/sandbox/stream`).on('error', () => undefined)
    const upstream = await nextRequest()
    const ended = once(upstream, 'close')
    request.destroy()
    await ended
    await app.close()
  })

  it('does not begin any more where the sandbox has not answered yet', async () => {
    const request = http.get(`${page}/sandbox/stream`, (answer) => answer.resume())
    const upstream = await nextRequest()
    const left = once(request, 'close')
    const closed = app.close()
    begin(upstream)
    await closed
    await left
  })
})
