import { SANDBOX_KEY } from '../../src/sandbox'
import { startStack } from './stack'
import type { Stack } from './stack'

let stack: Stack
beforeAll(async () => (stack = await startStack({ rateLimit: 100_000 })))
beforeEach(() => stack.reset())
afterAll(() => stack.stop())

const EMAIL = 'morgan@acme.com'
const identify = (email: string, more = {}) => ({ type: 'identify', traits: { email, ...more } })
const track = (event: string, email = EMAIL) => ({
  type: 'track',
  event,
  context: { traits: { email } },
  timestamp: new Date().toISOString()
})
const statusesOf = (results: { status: number }[]) => results.map(({ status }) => status)
const requests = async (route: string) =>
  (await stack.state()).requests.find((request) => request.route === route)?.count ?? 0

const BULK = { method: 'POST', path: '/api/v1/contacts/bulk' }
const EVENT = { method: 'POST', path: '/api/v1/contacts/*/events' }

describe('what EmailSendX may answer', () => {
  it.each([
    [400, 400, 'PAYLOAD_VALIDATION_FAILED'],
    [401, 401, 'INVALID_AUTHENTICATION'],
    [403, 403, 'FORBIDDEN'],
    [404, 404, 'NOT_FOUND'],
    [408, 408, 'RETRYABLE_ERROR'],
    [413, 413, 'PAYLOAD_TOO_LARGE'],
    [429, 429, 'RETRYABLE_ERROR'],
    [500, 500, 'RETRYABLE_ERROR'],
    [502, 502, 'RETRYABLE_ERROR'],
    [503, 503, 'RETRYABLE_ERROR'],
    [504, 504, 'RETRYABLE_ERROR']
  ])('%i', async (answer, status, errortype) => {
    for (const payload of [identify(EMAIL), [identify(EMAIL)]]) {
      await stack.fault({ kind: 'status', status: answer, ...BULK })
      expect(await stack.send('identifyContact', payload)).toMatchObject([{ status, errortype }])
    }
    expect(await stack.send('identifyContact', identify(EMAIL))).toMatchObject([{ status: 200 }])
  })

  it.each([
    ['a dropped connection', { kind: 'drop' }, 503],
    ['an empty body', { kind: 'status', status: 200, body: '' }, 200],
    ['HTML on a 200', { kind: 'status', status: 200, body: '<html>log in</html>' }, 502],
    ['garbage on a 200', { kind: 'garbage' }, 502],
    ['HTML on a 500', { kind: 'status', status: 500, body: '<html>oops</html>' }, 500],
    [
      'failed > 0 on a 200',
      { kind: 'status', status: 200, body: { data: { summary: { failed: 1 }, errors: ['no'] } } },
      400
    ]
  ])('%s', async (_name, fault, status) => {
    await stack.fault({ ...fault, ...BULK })
    expect(statusesOf(await stack.send('identifyContact', [identify(EMAIL)]))).toEqual([status])
  })

  it('an event whose answer is lost is fired again by the next attempt: at least once', async () => {
    await stack.send('identifyContact', identify(EMAIL))
    await stack.fault({ kind: 'drop', applied: true, ...EVENT })
    expect(statusesOf(await stack.send('trackEvent', track('purchase_completed')))).toEqual([503])
    expect(statusesOf(await stack.send('trackEvent', track('purchase_completed')))).toEqual([200])
    expect((await stack.contact(EMAIL)).automationRuns).toHaveLength(2)
  })

  it('a contact whose answer is lost is upserted again, without harm', async () => {
    await stack.fault({ kind: 'drop', applied: true, ...BULK })
    await stack.send('identifyContact', identify(EMAIL))
    await stack.send('identifyContact', identify(EMAIL))
    expect((await stack.state()).totals.contacts).toBe(1)
  })
})

describe('keys', () => {
  it('a wrong, an empty and a revoked one', async () => {
    for (const apiKey of ['esx_test_wrong', ' ']) {
      expect(await stack.send('identifyContact', identify(EMAIL), { settings: { apiKey } })).toMatchObject([
        { status: 401 }
      ])
      expect(await stack.authenticate({ apiKey })).toMatchObject({ ok: false, error: expect.stringContaining('key') })
    }
    await stack.changeKey({ revoked: true })
    expect(await stack.send('identifyContact', identify(EMAIL))).toMatchObject([
      { status: 401, errortype: 'INVALID_AUTHENTICATION' }
    ])
    await stack.changeKey({ revoked: false })
    expect(await stack.authenticate()).toEqual({ ok: true })
  })

  it('one that lacks a scope is told which', async () => {
    await stack.changeKey({ scopes: ['contacts:read'] })
    expect(await stack.send('identifyContact', identify(EMAIL))).toMatchObject([
      { status: 403, errormessage: expect.stringContaining('contacts:write') }
    ])
    expect(await stack.authenticate({ defaultListId: 'clx_list_newsletter_id' })).toMatchObject({
      ok: false,
      error: expect.stringContaining('lists:read')
    })
  })
})

describe('lists', () => {
  it('one that does not exist', async () => {
    const settings = { defaultListId: 'clx_gone' }
    expect(await stack.send('identifyContact', [identify(EMAIL), identify('a@b.co')], { settings })).toMatchObject([
      { status: 404, errormessage: expect.stringContaining('"clx_gone" does not exist') },
      { status: 404 }
    ])
    expect(await requests('POST /api/v1/contacts/bulk')).toBe(1)
    expect(await stack.authenticate(settings)).toMatchObject({ ok: false, error: expect.stringContaining('clx_gone') })
  })
})

describe('batches', () => {
  it('1,000 identifies are 2 requests', async () => {
    const people = Array.from({ length: 1000 }, (_, i) => identify(`p${i}@x.co`))
    expect(new Set(statusesOf(await stack.send('identifyContact', people)))).toEqual(new Set([200]))
    expect((await stack.state()).totals).toMatchObject({ contacts: 1000, requests: 2 })
  })

  it('one refused contact among 500 costs at most 18 further requests, and 499 arrive', async () => {
    await stack.fault({ kind: 'refuse-contact', email: 'p377@x.co', message: 'blocked' })
    const people = Array.from({ length: 500 }, (_, i) => identify(`p${i}@x.co`))
    const statuses = statusesOf(await stack.send('identifyContact', people))
    expect(statuses.flatMap((status, i) => (status === 200 ? [] : [[i, status]]))).toEqual([[377, 400]])
    const { totals } = await stack.state()
    expect(totals.contacts).toBe(499)
    expect(totals.requests - 1).toBeLessThanOrEqual(18)
  })

  it('are for identifies only: each track is a request of its own', async () => {
    await expect(stack.send('trackEvent', [track('e')])).resolves.toMatchObject([{ status: 501 }])
  })
})

it('30 events of 10 contacts are 10 look-ups and 30 events', async () => {
  const emails = Array.from({ length: 10 }, (_, i) => `p${i}@x.co`)
  await stack.send(
    'identifyContact',
    emails.map((email) => identify(email))
  )
  for (let i = 0; i < 30; i++) await stack.send('trackEvent', track('e', emails[i % 10]))
  expect((await stack.state()).totals).toMatchObject({ events: 30, requests: 41 })
})

it("the key's real limit of requests a minute refuses for a while, and loses nothing", async () => {
  const limited = await startStack({ rateLimit: 5 })
  try {
    await limited.send('identifyContact', identify(EMAIL))
    const statuses = []
    for (let i = 0; i < 5; i++) statuses.push(...statusesOf(await limited.send('trackEvent', track(`e${i}`))))
    // One upsert and one look-up came before the events.
    expect(statuses).toEqual([200, 200, 200, 429, 429])
    expect((await limited.state()).totals.events).toBe(3)
  } finally {
    await limited.stop()
  }
})

it('the environment never leaks into a call: the key is the one of the settings', async () => {
  expect(await stack.authenticate({ apiKey: ` ${SANDBOX_KEY} ` })).toEqual({ ok: true })
})
