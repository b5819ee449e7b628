import { Analytics } from '@segment/analytics-node'
import RudderAnalytics from '@rudderstack/rudder-sdk-node'
import { readFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import path from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Bridge } from '../../src/bridge'
import { startBridge } from '../../src/bridge'
import { MAX_BODY_BYTES } from '../../src/bridge/ingest/body'
import { SOURCES } from '../../src/bridge/ingest/sources'
import type { Sandbox } from '../../src/sandbox'
import { SANDBOX_KEY, startSandbox } from '../../src/sandbox'
import { proxiesHere, startProxy } from './__helpers__/proxies'
import type { Proxy } from './__helpers__/proxies'

jest.setTimeout(20_000)

const auth = { authorization: `Bearer ${SANDBOX_KEY}` }
const MEGABYTE = 1024 * 1024

let sandbox: Sandbox
let bridge: Bridge
let proxy: Proxy

/** What axios-retry tells, as far as this looks. */
interface Refused {
  response?: { status: number }
}

interface Sent {
  path?: string
  headers?: OutgoingHttpHeaders
  body?: string | Readable
  /** The address of the sender. */
  from?: string
}

interface Answer {
  /** Absent: the connection was lost without an answer. */
  status?: number
  headers: IncomingHttpHeaders
  text: string
}

function send({ path = '/api/segment/track', headers = auth, body = '[]', from }: Sent): Promise<Answer> {
  return new Promise((resolve) => {
    const sent = httpRequest(proxy.url + path, { method: 'POST', headers, localAddress: from, agent: false })
    sent.on('response', (response) => {
      const { statusCode: status, headers } = response
      text(response).then(
        (text) => resolve({ status, headers, text }),
        () => resolve({ status, headers, text: '' })
      )
    })
    // Whoever refuses a body need not read all of it: the answer may still have come.
    sent.on('close', () => resolve({ headers: {}, text: '' })).on('error', () => undefined)
    if (typeof body === 'string') sent.end(body)
    else body.pipe(sent)
  })
}

async function hasContact(email: string): Promise<boolean> {
  const state = (await (await fetch(`${sandbox.url}/_sandbox/state`)).json()) as { contacts: { email: string }[] }
  return state.contacts.some((contact) => contact.email === email)
}

/** Comes back when all of them are contacts, or when the test's time is over. */
async function contacts(...emails: string[]): Promise<void> {
  for (const email of emails) while (!(await hasContact(email))) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** The key is one that EmailSendX has accepted. */
async function known(): Promise<void> {
  await send({ body: '[{"type":"identify","userId":"u","traits":{"email":"first@acme.com"}}]' })
  await contacts('first@acme.com')
}

it.each([
  ['nginx.conf', `client_max_body_size ${MAX_BODY_BYTES / MEGABYTE}m;`, 'location ~ ^/(api|v1)/ {'],
  ['Caddyfile', `max_size ${MAX_BODY_BYTES / MEGABYTE}MiB`, '@events path /api/* /v1/*']
])('%s lets through what the bridge takes, and only that', async (file, ...lines) => {
  const said = await readFile(path.join(__dirname, '../../deploy', file), 'utf8')
  for (const line of lines) expect(said).toContain(line)
  for (const { path } of SOURCES) expect(path).toMatch(/^\/(api|v1)\//)
})

/** The rest is tried where the programs are. */
if (proxiesHere.length > 0) {
  describe.each(proxiesHere)('behind $name, which is installed here, as deploy/ sets it up', (kind) => {
    beforeEach(async () => {
      sandbox = await startSandbox({ port: 0 })
      const options = { trustProxy: true, allowHost: 'hooks.acme.com', adminToken: 'a-token-of-the-operator' }
      bridge = await startBridge({ port: 0, store: ':memory:', apiUrl: sandbox.url, logLevel: 'silent', ...options })
      proxy = await startProxy(kind, bridge.url)
    })

    afterEach(async () => {
      await proxy.close()
      await bridge.close()
      await sandbox.close()
    })

    it('events arrive from webhooks and real SDKs, and nothing else is to be had', async () => {
      const event = { type: 'identify', userId: 'u1', traits: { email: 'webhook@acme.com' } }
      const headers = { ...auth, host: 'hooks.acme.com' }
      expect((await send({ headers, body: JSON.stringify([event]) })).text).toContain('"accepted":1')

      const segment = new Analytics({ writeKey: SANDBOX_KEY, host: proxy.url })
      segment.identify({ userId: 'u2', traits: { email: 'segment@acme.com' } })
      await segment.closeAndFlush()
      const rudder = new RudderAnalytics(SANDBOX_KEY, { dataPlaneUrl: proxy.url, logLevel: 'none' })
      rudder.identify({ userId: 'u3', traits: { email: 'rudder@acme.com' } })
      await rudder.flush()
      await contacts('webhook@acme.com', 'segment@acme.com', 'rudder@acme.com')

      for (const path of ['/metrics', '/healthz', '/readyz', '/_bridge/keys', '/'])
        expect((await fetch(proxy.url + path)).status).toBe(404)
    })

    it.each([
      ['with its length', () => ({ body: 'x'.repeat(17 * MEGABYTE), headers: auth })],
      ['in chunks', () => ({ body: Readable.from(new Array(17).fill('x'.repeat(MEGABYTE))), headers: auth })]
    ])('a body over 16 MB is refused for good, %s', async (_, sent) => {
      await known()
      // Caddy ends the connection without reading on, so that the answer may be lost on its way.
      expect(kind.name === 'caddy' ? [413, undefined] : [413]).toContain((await send(sent())).status)
      expect((await send({})).status).toBe(200)
    })

    it('a body that comes too slowly is refused so that it is sent again', async () => {
      const { hostname, port } = new URL(proxy.url)
      const socket = connect(Number(port), hostname).on('error', () => undefined)
      socket.write(`POST /v1/batch HTTP/1.1\r\nHost: hooks.acme.com\r\nAuthorization: ${auth.authorization}\r\n`)
      socket.write('Content-Length: 100000\r\n\r\n[')
      expect(await text(socket)).toMatch(/^HTTP\/1.1 503 /)
    })

    it('strangers are limited by their own address, whatever they say it is', async () => {
      const stranger = (i: number, from: string) =>
        send({
          from,
          headers: {
            authorization: `Bearer esx_test_${from}_${i}`.replaceAll('.', '-'),
            'x-forwarded-for': `9.9.9.${i}`
          },
          body: '[{"type":"track","event":"A","userId":"u"}]'
        })
      const answers = await Promise.all(Array.from({ length: 120 }, (_, i) => stranger(i, '127.0.0.2')))
      const refused = answers.filter(({ status }) => status === 429)
      expect(refused.length).toBeGreaterThan(0)
      for (const { headers } of refused) expect(headers['retry-after']).toBe('2')
      expect((await stranger(0, '127.0.0.3')).status).toBe(200)
    })

    // Caddy has no limit of rate.
    if (kind.name !== 'nginx') return
    it('what comes too fast is sent again by real SDKs', async () => {
      let isOver = false
      const flood = async () => {
        const answers: Answer[] = []
        while (!isOver) answers.push(await send({ headers: {} }))
        return answers.filter(({ status }) => status === 429)
      }
      const floods = Array.from({ length: 100 }, flood)

      const sent: string[] = []
      const segment = new Analytics({ writeKey: SANDBOX_KEY, host: proxy.url, flushAt: 1 })
      const segmentRefused = new Promise<void>((resolve) => {
        segment.on('http_response', ({ status }) => status === 429 && resolve())
      })
      let rudder!: RudderAnalytics
      const rudderRefused = new Promise<void>((resolve) => {
        rudder = new RudderAnalytics(SANDBOX_KEY, {
          ...{ dataPlaneUrl: proxy.url, logLevel: 'none', flushAt: 1 },
          axiosRetryConfig: { onRetry: (_: number, { response }: Refused) => response?.status === 429 && resolve() }
        })
      })
      const sending = setInterval(() => {
        const email = `user${sent.length}@acme.com`
        sent.push(email)
        const client = sent.length % 2 === 0 ? segment : rudder
        client.identify({ userId: email, traits: { email } })
      }, 100)
      await Promise.all([segmentRefused, rudderRefused])
      clearInterval(sending)
      isOver = true
      const [refused] = (await Promise.all(floods)).flat()
      expect(refused.headers['retry-after']).toBe('1')
      expect(JSON.parse(refused.text)).toEqual({ error: 'too many requests from this address: try again' })
      await segment.closeAndFlush()
      await rudder.flush()
      await contacts(...sent)
    })
  })
}
