import { request } from 'node:http'
import fc from 'fast-check'
import { anyCharacter } from '../../../__tests__/__helpers__/any-character'
import { SANDBOX_KEY } from '..'
import { endSandboxes, start } from './__helpers__/running'

afterAll(endSandboxes)

const hostile = fc.constantFrom(
  '__proto__',
  'constructor',
  'toString',
  '',
  '\u0000',
  '\ud800',
  '%',
  "'; DROP TABLE contacts;--",
  'a@x.io'
)
const text = fc.oneof(hostile, fc.string({ unit: 'grapheme' }), fc.string({ unit: anyCharacter }))
const anyJson = fc.oneof(
  fc.json().map((json) => JSON.parse(json) as unknown),
  fc.dictionary(text, fc.jsonValue()),
  text,
  fc.array(fc.jsonValue())
)

/** Bodies that are nearly right, so that the fuzzing gets past the first check. */
const row = fc.record(
  {
    email: fc.oneof(fc.emailAddress(), text, anyJson),
    firstName: fc.oneof(text, anyJson),
    lastName: text,
    metadata: anyJson,
    listId: text
  },
  { requiredKeys: [] }
)
const body = fc.oneof(
  anyJson,
  row,
  fc.record(
    { contacts: fc.array(fc.oneof(row, anyJson)), listName: text, createListIfMissing: fc.boolean() },
    { requiredKeys: ['contacts'] }
  ),
  fc.record({ name: fc.oneof(text, anyJson), data: anyJson, description: text }, { requiredKeys: ['name'] }),
  fc.record(
    {
      type: fc.constantFrom('identify', 'track', 'page'),
      userId: fc.oneof(text, anyJson),
      traits: fc.oneof(row, anyJson),
      event: text,
      properties: anyJson,
      context: anyJson
    },
    { requiredKeys: ['type'] }
  )
)
const rawBody = fc.oneof(
  { weight: 8, arbitrary: body.map((json) => Buffer.from(JSON.stringify(json) ?? '')) },
  fc.uint8Array().map(Buffer.from)
)

const segment = fc.oneof(
  text.map((one) => encodeURIComponent(Buffer.from(one).toString())),
  fc.constantFrom('%', '%zz', '%00', '..', '.', 'bulk')
)
const path = fc.oneof(
  fc.constantFrom('/v1/contacts', '/v1/contacts/bulk', '/v1/lists', '/v1/whoami', '/segment/track'),
  segment.map((id) => `/v1/contacts/${id}/events`),
  fc.array(segment, { maxLength: 4 }).map((segments) => `/v1/${segments.join('/')}`)
)
const query = fc
  .array(
    fc.tuple(
      fc.constantFrom('page', 'limit', 'search', 'status', 'list_id', 'id', '__proto__', '%', 'x[]'),
      fc.oneof(segment, fc.nat().map(String))
    )
  )
  .map((pairs) => pairs.map(([name, value]) => `${name}=${value}`).join('&'))
const type = fc.oneof(
  { weight: 8, arbitrary: fc.constant('application/json') },
  fc.constantFrom('text/plain', 'application/json; charset=latin1', 'x', '')
)
const method = fc.constantFrom('GET', 'POST', 'POST', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS')

/** Node's own client, since `fetch` would tidy the path. */
function send(port: number, method: string, path: string, type: string, body: Buffer, key: string) {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string }>((resolve, reject) => {
    const headers = { Authorization: `Bearer ${key}`, 'Content-Type': type, 'Content-Length': body.length }
    request({ host: '127.0.0.1', port, method, path, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
      .on('error', reject)
      .end(body)
  })
}

it('answers anything sent to the API with a documented status, and goes on', async () => {
  const { port, state, contact } = await start({ rateLimit: 1_000_000 })
  const id = await contact('a@x.io')
  const target = fc.oneof(path, fc.constant(`/v1/contacts/${id}/events`))
  await fc.assert(
    fc.asyncProperty(method, target, query, type, rawBody, async (method, path, query, type, body) => {
      const answer = await send(port, method, `/api${path}?${query}`, type, body, SANDBOX_KEY)
      expect([200, 201, 400, 404, 405, 413]).toContain(answer.status)
      if (method === 'HEAD') return
      const isPage = answer.headers['content-type'] === 'text/html; charset=utf-8'
      expect(isPage || JSON.parse(answer.text)).toBeTruthy()
      if (!isPage) expect('error' in JSON.parse(answer.text)).toBe(answer.status >= 400)
      if (!isPage && answer.status >= 400) expect(JSON.parse(answer.text).error).toMatch(/^.+$/)
    }),
    { numRuns: 400 }
  )
  expect((await state()).totals.contacts).toBeGreaterThan(0)
}, 60_000)

it('answers anything sent to the control routes with 2xx or 4xx, and goes on', async () => {
  const { port, state } = await start()
  const path = fc.constantFrom(
    '/state',
    '/faults',
    '/faults/x',
    '/keys',
    '/keys/key_default',
    '/settings',
    '/contacts?email=a',
    '/automations',
    '/automations/x'
  )
  const spec = fc.record(
    {
      kind: fc.constantFrom('status', 'drop', 'garbage', 'delay', 'refuse-contact', 'x'),
      status: fc.oneof(fc.integer({ min: 100, max: 700 }), anyJson),
      times: fc.oneof(fc.constant('always'), fc.integer()),
      headers: fc.dictionary(text, text),
      path: text,
      key: text,
      email: text,
      body: anyJson
    },
    { requiredKeys: ['kind'] }
  )
  const raw = fc.oneof(
    rawBody,
    spec.map((one) => Buffer.from(JSON.stringify(one)))
  )
  await fc.assert(
    fc.asyncProperty(method, path, type, raw, async (method, path, type, body) => {
      const { status } = await send(port, method, `/_sandbox${path}`, type, body, 'none')
      expect(status).toBeGreaterThanOrEqual(200)
      expect(status).toBeLessThan(500)
    }),
    { numRuns: 200 }
  )
  expect((await state()).totals.lists).toBe(2)
}, 60_000)

it('returns every contact as it was sent, whatever keys and texts it has', async () => {
  const { api } = await start({ rateLimit: 1_000_000 })
  await fc.assert(
    fc.asyncProperty(fc.dictionary(text, fc.jsonValue()), text, fc.nat(), async (metadata, firstName, number) => {
      const email = `c${number}-${Math.random().toString(36).slice(2)}@x.io`
      const sent = JSON.parse(JSON.stringify({ email, firstName, metadata }))
      const { status } = await api('/contacts', { body: sent })
      expect(status).toBe(201)
      const { body } = await api(`/contacts?search=${encodeURIComponent(email)}`)
      expect(JSON.stringify(body.data[0].metadata)).toBe(JSON.stringify(sent.metadata))
      expect(body.data[0].firstName).toBe(sent.firstName)
    }),
    { numRuns: 100 }
  )
}, 60_000)
