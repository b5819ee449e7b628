import { createRequestClient } from '@segment/actions-core'
import nock from 'nock'
import { askForKey, identifyContacts, readContacts, requestOptions, trackEvent } from '../functions'
import type { Outcome, TrackOptions } from '../functions'
import { isolate, ORIGIN, SETTINGS } from './__helpers__/deliver'

isolate()

const EMAIL = 'morgan@acme.com'
const NOW = Date.parse('2026-01-15T10:00:00Z')
const HOUR = 60 * 60 * 1000

const client = createRequestClient(requestOptions(SETTINGS))
const bulk = () => nock(ORIGIN).post('/api/v1/contacts/bulk')
const search = () => nock(ORIGIN).get('/api/v1/contacts').query(true)
const found = () => search().reply(200, { data: [{ id: 'c1', email: EMAIL }] })
const event = () => nock(ORIGIN).post('/api/v1/contacts/c1/events')

const identify = async () => (await identifyContacts(client, SETTINGS, [{ email: EMAIL }]))[0]
const track = (payload = {}, options: TrackOptions = {}) =>
  trackEvent(client, SETTINGS, { email: EMAIL, eventName: 'e', ...payload }, { now: () => NOW, ...options })

/** The kind of an outcome, and what belongs to the kind. */
function essence({ kind, status, ...more }: Outcome) {
  const { setting, waitsUntil, retryAfterMs } = more as Record<string, unknown>
  return JSON.parse(JSON.stringify({ kind, status, setting, waitsUntil, retryAfterMs })) as object
}

describe('what an answer means', () => {
  type Answer = [status: number, body: unknown, headers?: Record<string, string>]
  const upsert = async (answer: Answer) => {
    bulk().reply(...(answer as [number, nock.Body]))
    return essence(await identify())
  }
  const lookUp = async (answer: Answer) => {
    search().reply(...(answer as [number, nock.Body]))
    return essence(await track())
  }
  const firing = async (answer: Answer) => {
    found()
    event().reply(...(answer as [number, nock.Body]))
    return essence(await track())
  }

  it.each<[Answer, object, object?]>([
    [[200, {}], { kind: 'delivered', status: 200 }],
    [[201, {}], { kind: 'delivered', status: 201 }],
    [[400, { error: 'No' }], { kind: 'invalid', status: 400 }],
    [[422, { error: 'No' }], { kind: 'invalid', status: 400 }],
    [[413, { error: 'No' }], { kind: 'invalid', status: 413 }],
    [[418, { error: 'No' }], { kind: 'invalid', status: 418 }],
    [[501, { error: 'No' }], { kind: 'invalid', status: 501 }],
    [[401, { error: 'No' }], { kind: 'unauthorized', status: 401 }],
    [[403, { error: 'No' }], { kind: 'forbidden', status: 403 }],
    [[300, ''], { kind: 'misconfigured', setting: 'apiUrl', status: 400 }],
    [[302, '', { location: 'https://x.io' }], { kind: 'misconfigured', setting: 'apiUrl', status: 400 }],
    [[408, { error: 'No' }], { kind: 'retry', status: 408 }],
    [[409, { error: 'No' }], { kind: 'retry', status: 503 }],
    [[429, { error: 'No' }, { 'retry-after': '14' }], { kind: 'retry', status: 429, retryAfterMs: 14_000 }],
    [[500, { error: 'No' }], { kind: 'retry', status: 500 }, { kind: 'unknown_effect', status: 500 }],
    [[503, '<html>'], { kind: 'retry', status: 503 }, { kind: 'unknown_effect', status: 503 }],
    [[504, '<html>'], { kind: 'retry', status: 504 }, { kind: 'unknown_effect', status: 504 }],
    [[200, '<html>'], { kind: 'retry', status: 502 }, { kind: 'unknown_effect', status: 502 }]
  ])('%j is %j; to the request that fires an event %j', async (answer, meaning, whenFiring = meaning) => {
    expect(await upsert(answer)).toEqual(meaning)
    if (answer[0] >= 300) expect(await lookUp(answer)).toEqual(meaning)
    expect(await firing(answer)).toEqual(whenFiring)
  })

  it.each([
    ['ECONNREFUSED', 'retry', 503],
    ['ENOTFOUND', 'retry', 503],
    ['CERT_HAS_EXPIRED', 'retry', 503],
    ['ECONNRESET', 'unknown_effect', 503],
    ['ETIMEDOUT', 'unknown_effect', 504]
  ])('%s while an event is fired is %s, and a retry of anything else', async (code, kind, status) => {
    found()
    event().replyWithError({ code })
    expect(essence(await track())).toEqual({ kind, status })
    bulk().replyWithError({ code })
    expect(essence(await identify())).toEqual({ kind: 'retry', status })
  })

  it('404 is a wrong address of the server, but of a list that list, and of a contact that contact', async () => {
    bulk().twice().reply(404, { error: 'Not found' })
    expect(essence(await identify())).toEqual({ kind: 'misconfigured', setting: 'apiUrl', status: 404 })
    const [outcome] = await identifyContacts(client, SETTINGS, [{ email: EMAIL, listId: 'l1' }])
    expect(essence(outcome)).toEqual({ kind: 'misconfigured', setting: 'list', status: 404 })
    search().reply(404, '<html>')
    expect(essence(await track())).toEqual({ kind: 'misconfigured', setting: 'apiUrl', status: 404 })
    expect(await firing([404, { error: 'Contact not found' }])).toMatchObject({ kind: 'unknown_contact' })
  })
})

it('an event handed over by its user id may have been fired when no answer says so', async () => {
  nock(ORIGIN).post('/api/segment/track').reply(500, {})
  expect(essence(await track({ email: '', userId: 'user_12345' }))).toEqual({ kind: 'unknown_effect', status: 500 })
})

it('an event that EmailSendX takes by its user id is delivered', async () => {
  nock(ORIGIN)
    .post('/api/segment/track')
    .reply(200, { data: { matchingAutomations: 1 } })
  const { kind, message } = await track({ email: '', userId: 'user_12345' })
  expect(kind).toBe('delivered')
  expect(message).toBe(
    'EmailSendX took the event and finds the contact by its User ID. The event is fired; one automation starts.'
  )
})

it('who leaves an audience and is no contact is done with', async () => {
  search().reply(200, { data: [] })
  const [outcome] = await identifyContacts(client, SETTINGS, [{ email: EMAIL, traits: { vip: false } }], [false])
  expect(outcome).toMatchObject({ kind: 'delivered', message: expect.stringContaining('nobody was created') as string })
})

it.each([
  [{}, 'The event is fired.'],
  [{ data: { matchingAutomations: 'many' } }, 'The event is fired.'],
  [{ data: { matchingAutomations: 0 } }, 'The event is fired; no automation waits for it.'],
  [{ data: { matchingAutomations: 1 } }, 'The event is fired; one automation starts.'],
  [{ data: { matchingAutomations: 3 } }, 'The event is fired; 3 automations start.']
])('an event answered with %j is told in the words %j', async (answer, words) => {
  found()
  event().reply(200, answer)
  expect((await track()).message).toBe(words)
})

it('a trait called __proto__ is left out, and so is one within another', async () => {
  bulk().reply(200, {})
  const traits = JSON.parse('{"__proto__": {"x": 1}, "seats": 3, "address": {"__proto__": {"x": 1}, "city": "Lyon"}}')
  const payload = { email: EMAIL, traits: traits as object as never, nestedTraits: 'keep' }
  const [outcome] = await identifyContacts(client, SETTINGS, [payload])
  const { metadata } = outcome.sent as { metadata: { x?: number; address: { x?: number } } }
  expect(metadata).toEqual({ seats: 3, address: { city: 'Lyon' } })
  expect([metadata.x, metadata.address.x]).toEqual([undefined, undefined])
})

describe('what an event alone means', () => {
  it.each([
    [{ email: 'morgan@acme' }, 'invalid'],
    [{ eventName: ' ' }, 'invalid'],
    [{ eventName: ' ', eventNameForm: 'as_sent' }, 'invalid'],
    [{ email: '', anonymousId: 'anon_1' }, 'unaddressed'],
    [{ email: '', userId: 'user_12345', withoutEmail: 'reject' }, 'unaddressed'],
    [{ timestamp: new Date(NOW - 3 * HOUR).toISOString(), maxAgeHours: 2 }, 'invalid']
  ])('%j is %s, and costs no request', async (payload, kind) => {
    expect(essence(await track(payload))).toEqual({ kind, status: 400 })
  })

  it('a value that is not there is none', async () => {
    bulk().reply(200, {})
    const [outcome] = await identifyContacts(client, SETTINGS, [{ email: EMAIL, traits: { plan: undefined } }])
    expect(outcome).toMatchObject({ kind: 'delivered', sent: { email: EMAIL } })
  })

  it('what nobody foresaw is the outcome of that event alone', async () => {
    const boom = {
      get email(): string {
        throw new TypeError('boom\n at secret')
      }
    }
    bulk().reply(200, {})
    const outcomes = await identifyContacts(client, SETTINGS, [{ email: EMAIL }, boom])
    expect(outcomes.map(({ kind }) => kind)).toEqual(['delivered', 'invalid'])
    expect(outcomes[1].message).toContain('TypeError: boom')
    expect(outcomes[1].message).not.toContain('secret')
  })
})

it.each([
  ['of exactly the maximum age', new Date(NOW - 2 * HOUR).toISOString()],
  ['of an hour ago, in seconds', String((NOW - HOUR) / 1000)],
  ['without a time', ''],
  ['of a time that is none', 'soon']
])('an event %s is not too old', async (_name, timestamp) => {
  found()
  event().reply(200, {})
  expect((await track({ timestamp, maxAgeHours: 2 })).kind).toBe('delivered')
})

describe('an unknown contact', () => {
  beforeEach(() => search().reply(200, { data: [] }))
  const timestamp = new Date(NOW - HOUR / 2).toISOString()

  it('is waited for until the event is one hour old', async () => {
    expect(essence(await track({ timestamp }))).toEqual({
      kind: 'unknown_contact',
      status: 503,
      waitsUntil: NOW + HOUR / 2
    })
  })

  it('is final to the millisecond', async () => {
    const old = { timestamp: new Date(NOW - HOUR).toISOString() }
    const outcome = await track(old)
    expect(essence(outcome)).toEqual({ kind: 'unknown_contact', status: 404 })
    expect(outcome.message).toContain('set Unknown Contact to')
  })

  it('is final where the mapping does not wait', async () => {
    expect(essence(await track({ timestamp, unknownContact: 'skip' }))).toEqual({
      kind: 'unknown_contact',
      status: 404
    })
  })

  it('that was created and is not found yet is tried again', async () => {
    nock(ORIGIN)
      .post('/api/v1/contacts')
      .reply(201, { data: { id: 'c1' } })
    event().reply(404, { error: 'Contact not found' })
    const outcome = await track({ unknownContact: 'create' })
    expect(essence(outcome)).toEqual({ kind: 'retry', status: 503 })
    expect(outcome.message).toContain('the contact that it has just created')
  })
})

describe('the pace', () => {
  const headers = {
    date: 'Thu, 15 Jan 2026 10:00:00 GMT',
    'x-ratelimit-limit': '120',
    'x-ratelimit-remaining': '87',
    'x-ratelimit-reset': String(NOW / 1000 + 30)
  }

  it('is the newest that an answer told', async () => {
    search().reply(200, { data: [{ id: 'c1', email: EMAIL }] }, { 'x-ratelimit-remaining': '88' })
    event().reply(200, {}, headers)
    expect((await track()).pace).toEqual({ status: 200, limit: 120, remaining: 87, resetMs: 30_000 })
  })

  it('is that of the last answer where a later request got none', async () => {
    search().reply(200, { data: [{ id: 'c1', email: EMAIL }] }, { 'x-ratelimit-remaining': '88' })
    event().replyWithError({ code: 'ECONNRESET' })
    expect((await track()).pace).toEqual({ status: 200, remaining: 88 })
  })

  it('comes with failures, too', async () => {
    bulk().reply(429, {}, { ...headers, 'retry-after': '14' })
    expect((await identify()).pace).toEqual({
      status: 429,
      limit: 120,
      remaining: 87,
      resetMs: 30_000,
      retryAfterMs: 14_000
    })
  })

  it('takes the pause from a date, by the clock of EmailSendX', async () => {
    bulk().reply(429, {}, { date: headers.date, 'retry-after': 'Thu, 15 Jan 2026 10:00:14 GMT' })
    expect((await identify()).pace).toEqual({ status: 429, retryAfterMs: 14_000 })
  })

  it('is not read from headers that are empty or no number', async () => {
    bulk().reply(200, {}, { 'x-ratelimit-limit': '', 'x-ratelimit-remaining': 'many', 'x-ratelimit-reset': '' })
    expect((await identify()).pace).toEqual({ status: 200 })
  })

  it('tells no pause where none is asked for', async () => {
    bulk().reply(429, {}, { 'retry-after': '0' })
    expect((await identify()).pace).toEqual({ status: 429 })
  })

  it('is none where nobody was asked', async () => {
    expect((await track({ eventName: '' })).pace).toBeUndefined()
  })
})

describe('what a program may plug in', () => {
  it('is asked right before the request that fires, and its refusal is its own', async () => {
    found()
    const obstacle = new Error('the lease is lost')
    await expect(track({}, { beforeFiring: () => Promise.reject(obstacle) })).rejects.toBe(obstacle)

    const seen: string[] = []
    nock(ORIGIN)
      .post('/api/v1/contacts/c1/events')
      .reply(() => {
        seen.push('fired')
        return [200, {}]
      })
    await track({}, { beforeFiring: async () => void seen.push('asked') })
    expect(seen).toEqual(['asked', 'fired'])
  })

  it('remembers the ids of contacts', async () => {
    const ids = new Map<string, string>()
    const contactIds = {
      get: async (email: string) => ids.get(email),
      set: async (email: string, id: string) => void ids.set(email, id),
      delete: async (email: string) => void ids.delete(email)
    }
    found()
    event().twice().reply(200, {})
    await track({}, { contactIds })
    expect([...ids]).toEqual([[EMAIL, 'c1']])
    expect((await track({}, { contactIds })).kind).toBe('delivered')

    event().reply(404, {})
    search().reply(200, { data: [] })
    expect((await track({}, { contactIds })).kind).toBe('unknown_contact')
    expect([...ids]).toEqual([])
  })

  it('ends the request by the signal of its client', async () => {
    const ending = new AbortController()
    const endable = createRequestClient(requestOptions(SETTINGS), { signal: ending.signal })
    bulk().delay(10_000).reply(200, {})
    const delivery = identifyContacts(endable, SETTINGS, [{ email: EMAIL }])
    ending.abort()
    expect(essence((await delivery)[0])).toEqual({ kind: 'retry', status: 408 })
    nock.abortPendingRequests()
  })
})

describe('what a program may ask', () => {
  const whoami = () => nock(ORIGIN).get('/api/v1/whoami')

  it('is whether the key is known, also where the server has no whoami', async () => {
    whoami().reply(200, { data: {} }, { 'x-ratelimit-remaining': '7' })
    const answer = await askForKey(client, SETTINGS)
    expect(answer).toMatchObject({
      kind: 'delivered',
      message: 'EmailSendX knows the API key.',
      pace: { remaining: 7 }
    })
    whoami().reply(404, '<html>')
    search().reply(200, { data: [] })
    expect((await askForKey(client, SETTINGS)).kind).toBe('delivered')
    whoami().reply(401, {})
    expect(await askForKey(client, SETTINGS)).toMatchObject({ kind: 'unauthorized', pace: { status: 401 } })
  })

  it('is a hundred contacts at a time, with those left out that have no id or no address', async () => {
    const data = [
      { id: 'c1', email: ' Morgan@ACME.com' },
      { id: 'c2' },
      { id: '', email: 'a@b.co' },
      { email: 'a@b.co' },
      null
    ]
    nock(ORIGIN)
      .get('/api/v1/contacts')
      .query({ limit: 100, page: 2 })
      .reply(200, { data, pagination: { totalPages: 9 } })
    expect(await readContacts(client, SETTINGS, 2)).toEqual({ contacts: [{ email: EMAIL, id: 'c1' }], pages: 9 })
    search().reply(403, {})
    expect(await readContacts(client, SETTINGS, 1)).toMatchObject({
      kind: 'forbidden',
      message: expect.stringContaining('contacts:read') as string
    })
  })

  it('is what every request has: never a key that is none', () => {
    expect(requestOptions({ apiKey: ' k ' })).toEqual({
      headers: { Authorization: 'Bearer k' }
    })
    expect(requestOptions({ apiKey: ' ' })).toEqual({ headers: {} })
  })
})
