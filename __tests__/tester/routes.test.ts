import http from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { startServe } from '../../src/serve'
import { findUpstreams } from '../../src/serve/tester/upstreams'
import { SANDBOX_KEY, startStack } from './__helpers__/stack'
import type { Stack } from './__helpers__/stack'

jest.setTimeout(30_000)

let stack: Stack

beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack.close())

interface Reply {
  status: number
  headers: http.IncomingHttpHeaders
  body: Buffer
  text: string
}

/** A request with exactly these headers; fetch would set some of them itself. */
function ask(path: string, options: { method?: string; headers?: http.OutgoingHttpHeaders; body?: object } = {}) {
  const { method = 'GET', headers, body } = options
  const json = body && JSON.stringify(body)
  return new Promise<Reply>((resolve, reject) => {
    const url = new URL(stack.page)
    const request = http.request(
      {
        host: url.hostname,
        port: url.port,
        path,
        method,
        headers: { ...(json && { 'content-type': 'application/json' }), ...headers }
      },
      (response) => {
        const read = async () => {
          const body = await buffer(response)
          const isZipped = response.headers['content-encoding'] === 'gzip'
          const text = (isZipped ? gunzipSync(body) : body).toString()
          return { status: response.statusCode ?? 0, headers: response.headers, body, text }
        }
        read().then(resolve, reject)
      }
    )
    request.on('error', reject).end(json)
  })
}

const own = () => ({ origin: stack.page })
const call = { settings: {}, mappings: {}, triggers: {}, batch: false, event: 0, contactsExist: true }
const sandboxState = async () => (await fetch(`${stack.sandbox}/_sandbox/state`)).json()

describe('what the page is made of', () => {
  it('is less than 200 kB, compressed, and comes from here alone', async () => {
    const files = await Promise.all(
      ['/', '/tester/app.js', '/tester/app.css', '/tester/icon.svg'].map((path) => ask(path))
    )
    expect(files.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(files.reduce((sum, { body }) => sum + body.length, 0)).toBeLessThan(200_000)
    const elsewhere = files
      .slice(0, 1)
      .concat(files[2])
      .map(({ text }) => text.match(/(https?:)?\/\/[\w.-]+/g))
    expect(elsewhere).toEqual([null, null])
  })

  it('is not sent again while it is the same', async () => {
    const { headers } = await ask('/tester/app.js')
    expect((await ask('/tester/app.js', { headers: { 'if-none-match': headers.etag } })).status).toBe(304)
  })

  it('has a policy that lets in nothing but its own files', async () => {
    const { headers, text } = await ask('/')
    const policy = String(headers['content-security-policy'])
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1]
    const port = Number(new URL(stack.page).port)
    expect(policy.replace(String(nonce), 'NONCE').split('; ')).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self' 'nonce-NONCE'",
      "img-src 'self' data:",
      `connect-src 'self' ws://127.0.0.1:${port + 1}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'"
    ])
    expect(text).toContain(`nonce="${nonce}"`)
    expect((await ask('/')).headers['content-security-policy']).not.toContain(nonce)
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
  })
})

describe('who may ask', () => {
  it.each([
    ['GET', '/'],
    ['GET', '/tester/start'],
    ['GET', '/tester/sandbox/state'],
    ['POST', '/tester/preview']
  ])('nobody under a foreign name: %s %s', async (method, path) => {
    const { status, text } = await ask(path, { method, headers: { host: 'evil.example' } })
    expect([status, text.includes(SANDBOX_KEY)]).toEqual([403, false])
  })

  it.each(['http://evil.example', 'null', 'https://app.segment.com', 'http://127.0.0.1:1'])(
    'no page of %s, neither to read nor to act',
    async (origin) => {
      const asked = await Promise.all([
        ask('/tester/start', { headers: { origin } }),
        ask('/tester/sandbox/state', { headers: { origin } }),
        ask('/tester/preview', { method: 'POST', headers: { origin }, body: { ...call, events: [] } }),
        ask('/tester/sandbox/reset', { method: 'POST', headers: { origin }, body: {} }),
        ask('/tester/sandbox/faults', { method: 'DELETE', headers: { origin } })
      ])
      expect(asked.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403])
    }
  )

  it('nobody without an origin, where something is done', async () => {
    expect((await ask('/tester/sandbox/reset', { method: 'POST', body: {} })).status).toBe(403)
    expect((await ask('/tester/sandbox/reset', { method: 'POST', body: {}, headers: own() })).status).toBe(204)
  })
})

describe('the way to sandbox and bridge', () => {
  it('leads to the listed routes and no others', async () => {
    expect(JSON.parse((await ask('/tester/sandbox/state')).text)).toMatchObject({ totals: { lists: 2 } })
    for (const path of ['/tester/sandbox/keys', '/tester/sandbox/settings', '/tester/sandbox/../api/v1/lists']) {
      expect([path, (await ask(path)).status]).toEqual([path, 404])
    }
    for (const id of ['..', '%2e%2e%2fkeys', 'a%2fb', 'a?b=c']) {
      const { status } = await ask(`/tester/sandbox/keys/${id}`, { method: 'PATCH', headers: own(), body: {} })
      expect([id, status >= 400]).toEqual([id, true])
    }
  })

  it('passes the words of the sandbox on', async () => {
    const { status, text } = await ask('/tester/sandbox/faults', {
      method: 'POST',
      headers: own(),
      body: { kind: 'flood' }
    })
    expect([status, JSON.parse(text).error]).toEqual([400, expect.stringContaining('must be one of')])
  })

  it('says that there is no bridge', async () => {
    const { status, text } = await ask('/tester/bridge/keys')
    expect([status, JSON.parse(text).error]).toEqual([404, 'No bridge runs beside this server: npm start runs one.'])
  })
})

it('finds a sandbox that runs by itself, and takes nothing else for one', async () => {
  const find = async (origin: string) =>
    (await findUpstreams({ SANDBOX_PORT: new URL(origin).port, BRIDGE_PORT: '1' })).sandbox
  expect(await find(stack.sandbox)).toBe(stack.sandbox)
  expect(await find(stack.page)).toBeUndefined()
})

describe('the preview', () => {
  const identify = { type: 'identify', traits: { email: 'ada@example.com' } }
  const track = { type: 'track', event: 'Signed Up', userId: 'ada@example.com' }
  const preview = async (body: object) =>
    JSON.parse((await ask('/tester/preview', { method: 'POST', headers: own(), body: { ...call, ...body } })).text)

  it('makes the requests of the settings, to the customer’s address, and sends none', async () => {
    const settings = { apiKey: SANDBOX_KEY, apiUrl: stack.sandbox }
    const before = (await sandboxState()).totals
    const previews = [
      await preview({ settings, events: [identify, track] }),
      await preview({ settings, events: [identify, track], event: 1 })
    ]
    expect(
      previews.map(({ deliveries }) =>
        deliveries[0].requests.map(({ method, url }: { method: string; url: string }) => `${method} ${url}`)
      )
    ).toEqual([
      [`POST ${stack.sandbox}/api/v1/contacts/bulk`],
      [
        `GET ${stack.sandbox}/api/v1/contacts?search=ada%40example.com&limit=100&page=1`,
        `POST ${stack.sandbox}/api/v1/contacts/CONTACT_ID/events`
      ]
    ])
    expect(JSON.stringify(previews)).not.toContain(SANDBOX_KEY)
    expect((await sandboxState()).totals).toEqual(before)
  })

  it.each(['https://emailsendx.com', 'https://mail.example.com', 'http://localhost:9'])(
    'never leaves the process, also for %s',
    async (apiUrl) => {
      const { deliveries } = await preview({ settings: { apiKey: 'esx_live_x', apiUrl }, events: [identify] })
      expect(deliveries[0].requests[0].url).toBe(`${apiUrl}/api/v1/contacts/bulk`)
      expect(deliveries[0].outcome.status).toBe(200)
    }
  )

  it('is the same however often it is asked', async () => {
    const wanted = { settings: { apiKey: SANDBOX_KEY, apiUrl: stack.sandbox }, events: [track] }
    expect(await preview(wanted)).toEqual(await preview(wanted))
  })

  it('leaves nothing behind in what is really sent', async () => {
    const settings = { apiKey: SANDBOX_KEY, apiUrl: stack.sandbox }
    const someone = { ...track, userId: 'preview-only@example.com' }
    await preview({ settings, events: [someone] })
    const { text } = await ask('/trackEvent?multistatus=true', { method: 'POST', body: { payload: someone, settings } })
    const { exchanges, multistatus } = JSON.parse(text)
    expect(exchanges.map(({ request }: { request: { method: string } }) => request.method)).toEqual(['GET'])
    expect(multistatus[0].errormessage).toContain('no contact with this email address yet')
  })

  it('shows what is wrong with the settings', async () => {
    const { deliveries } = await preview({
      settings: { apiKey: SANDBOX_KEY, apiUrl: 'http://mail.example.com' },
      events: [identify]
    })
    expect(deliveries[0]).toMatchObject({
      requests: [],
      outcome: { errormessage: expect.stringContaining('https://') }
    })
    const { deliveries: keyless } = await preview({ settings: { apiKey: '' }, events: [identify] })
    expect(keyless[0]).toMatchObject({ requests: [], outcome: { status: expect.any(Number) } })
  })

  it('refuses what the page never sends, in a line', async () => {
    const { status, text } = await ask('/tester/preview', { method: 'POST', headers: own(), body: { events: 'all' } })
    expect([status, JSON.parse(text)]).toEqual([400, { error: 'events is not what this page sends' }])
  })
})

it('says where the page is, and ends at once, with pages still listening to the sandbox it has found', async () => {
  const lines: string[] = []
  const env = { SANDBOX_PORT: new URL(stack.sandbox).port, BRIDGE_PORT: '1' }
  const serve = await startServe({ port: 0, env, log: (line) => lines.push(line) })
  expect(lines).toContain(`Tester page: http://localhost:${serve.port}`)
  const stream = await fetch(`${serve.url}/tester/sandbox/stream`)
  expect(stream.headers.get('content-type')).toBe('text/event-stream')
  const ended = stream.text().catch(() => 'cut off')
  await serve.close()
  await ended
})
