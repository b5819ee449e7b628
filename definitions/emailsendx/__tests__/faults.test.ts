import nock from 'nock'
import { once } from 'events'
import { createServer } from 'http'
import type { AddressInfo } from 'net'
import definition from '..'
import { createTestIntegration, defaultValues, createTestEvent } from '@segment/actions-core'
import { deliver, fire, identify, isolate, MODES, ORIGIN, SETTINGS, track } from './__helpers__/deliver'

isolate()

const EMAIL = 'morgan@acme.com'

/** The same answer to the call that matters of either action. */
const CASES = [
  {
    action: 'identifyContact' as const,
    event: identify({ email: EMAIL }),
    fails: (answer: (interceptor: nock.Interceptor) => nock.Scope) => {
      answer(nock(ORIGIN).post('/api/v1/contacts/bulk'))
    }
  },
  {
    action: 'trackEvent' as const,
    event: track('e', EMAIL),
    fails: (answer: (interceptor: nock.Interceptor) => nock.Scope) => {
      nock(ORIGIN)
        .get('/api/v1/contacts')
        .query(true)
        .reply(200, { data: [{ id: 'c1', email: EMAIL }] })
      answer(nock(ORIGIN).post('/api/v1/contacts/c1/events'))
    }
  },
  {
    action: 'trackEvent' as const,
    event: track('e', EMAIL),
    fails: (answer: (interceptor: nock.Interceptor) => nock.Scope) => {
      answer(nock(ORIGIN).get('/api/v1/contacts').query(true))
    }
  }
]

describe.each([
  ['the upsert', 'single', CASES[0]],
  ['the upsert', 'batch', CASES[0]],
  ['the event', 'single', CASES[1]],
  ['the look-up', 'single', CASES[2]]
] as const)('when %s fails (%s)', (_name, mode, { action, event, fails }) => {
  it.each([
    [400, 'PAYLOAD_VALIDATION_FAILED', 400],
    [401, 'INVALID_AUTHENTICATION', 401],
    [403, 'FORBIDDEN', 403],
    [408, 'RETRYABLE_ERROR', 408],
    [409, 'RETRYABLE_ERROR', 503],
    [413, 'PAYLOAD_TOO_LARGE', 413],
    [418, 'IM_A_TEAPOT', 418],
    [422, 'PAYLOAD_VALIDATION_FAILED', 400],
    [423, 'RETRYABLE_ERROR', 503],
    [425, 'RETRYABLE_ERROR', 503],
    [429, 'RETRYABLE_ERROR', 429],
    [500, 'RETRYABLE_ERROR', 500],
    [501, 'NOT_IMPLEMENTED', 501],
    [502, 'RETRYABLE_ERROR', 502],
    [503, 'RETRYABLE_ERROR', 503],
    [504, 'RETRYABLE_ERROR', 504],
    [505, 'RETRYABLE_ERROR', 503],
    [520, 'RETRYABLE_ERROR', 503]
  ])('%i becomes %s %i, with the words of the API', async (status, code, reported) => {
    fails((interceptor) => interceptor.reply(status, { error: 'in the words of the API' }))
    const result = await deliver(mode, action, event)
    expect(result.status).toBe(reported)
    expect(result.message).toContain('in the words of the API')
    expect(result.code).toBe(code)
    expect(nock.pendingMocks()).toEqual([])
  })

  it.each([
    ['a string', { error: 'No!' }],
    ['message', { message: 'No!' }],
    ['an object', { error: { message: 'No!' } }],
    ['blank, in the message beside it', { error: ' ', message: 'No!' }]
  ])('finds the words in an error that is %s', async (_shape, body) => {
    fails((interceptor) => interceptor.reply(400, body))
    expect((await deliver(mode, action, event)).message).toBe('EmailSendX refused the request: No!')
  })

  it.each([
    ['HTML', '<html><body>Bad gateway</body></html>'],
    ['nothing', ''],
    ['an array', '[1]'],
    ['words that are no words', '{"error":{"code":7}}'],
    ['half a JSON', '{"error":"N']
  ])('copes with an error body that is %s', async (_shape, body) => {
    fails((interceptor) => interceptor.reply(400, body))
    expect((await deliver(mode, action, event)).message).toBe('EmailSendX refused the request without a reason.')
  })

  it.each([
    ['HTML', '<html>Please log in</html>'],
    ['half a JSON', '{"data":{'],
    ['an array', '[]'],
    ['a number', '7'],
    ['null', 'null']
  ])('does not take a 200 with %s for success', async (_shape, body) => {
    fails((interceptor) => interceptor.reply(200, body, { 'content-type': 'application/json' }))
    const result = await deliver(mode, action, event)
    expect(result).toMatchObject({ status: 502, code: 'RETRYABLE_ERROR' })
    expect(result.message).toContain('Check the API URL')
  })

  it.each([301, 302, 307, 308])('does not follow a %i, which would turn a POST into a GET', async (status) => {
    fails((interceptor) => interceptor.reply(status, '', { location: 'https://www.emailsendx.com/' }))
    const result = await deliver(mode, action, event)
    expect(result).toMatchObject({ status: 400, code: 'BAD_REQUEST' })
    expect(result.message).toContain('redirects to https://www.emailsendx.com/')
  })

  it.each(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN'])('%s is tried again', async (code) => {
    fails((interceptor) => interceptor.replyWithError({ code, message: 'secret internals' }))
    const result = await deliver(mode, action, event)
    expect(result).toMatchObject({ status: 503, code: 'RETRYABLE_ERROR' })
    expect(result.message).toContain(code)
    expect(result.message).not.toContain('secret')
  })

  it('a timeout is tried again', async () => {
    fails((interceptor) => interceptor.replyWithError({ code: 'ETIMEDOUT' }))
    expect(await deliver(mode, action, event)).toMatchObject({ status: 504, code: 'RETRYABLE_ERROR' })
  })
})

describe.each(MODES)('%s', (mode) => {
  it('says which scope the key lacks', async () => {
    CASES[0].fails((interceptor) => interceptor.reply(403, { error: 'Insufficient scope' }))
    expect((await deliver(mode, 'identifyContact', CASES[0].event)).message).toContain('lacks the contacts:write scope')
    CASES[2].fails((interceptor) => interceptor.reply(403, { error: 'Insufficient scope' }))
    expect((await fire(CASES[2].event)).message).toContain('lacks the contacts:read scope')
    nock.cleanAll()
    CASES[1].fails((interceptor) => interceptor.reply(403, { error: 'Insufficient scope' }))
    expect((await fire(CASES[1].event)).message).toContain('lacks the contacts:write scope')
  })

  it.each([
    ['an empty key', { apiKey: ' ' }, 401, 'INVALID_AUTHENTICATION'],
    ['a key with a line break', { apiKey: 'esx_live_\n1' }, 401, 'INVALID_AUTHENTICATION'],
    ['a key with letters no header can hold', { apiKey: 'ключ' }, 401, 'INVALID_AUTHENTICATION'],
    ['http', { ...SETTINGS, apiUrl: 'http://emailsendx.com' }, 400, 'BAD_REQUEST'],
    [
      'http on a host that only starts like loopback',
      { ...SETTINGS, apiUrl: 'http://127.0.0.1.example.com' },
      400,
      'BAD_REQUEST'
    ],
    [
      'http on a host that only starts like localhost',
      { ...SETTINGS, apiUrl: 'http://localhost.example.com' },
      400,
      'BAD_REQUEST'
    ],
    [
      'http on a host that only ends like localhost',
      { ...SETTINGS, apiUrl: 'http://notlocalhost' },
      400,
      'BAD_REQUEST'
    ],
    ['a foreign protocol', { ...SETTINGS, apiUrl: 'ftp://localhost' }, 400, 'BAD_REQUEST'],
    ['a path', { ...SETTINGS, apiUrl: 'https://example.com/mail' }, 400, 'BAD_REQUEST'],
    ['a query', { ...SETTINGS, apiUrl: 'https://example.com/?x=1' }, 400, 'BAD_REQUEST'],
    ['a password', { ...SETTINGS, apiUrl: 'https://u:p@example.com' }, 400, 'BAD_REQUEST'],
    ['no address at all', { ...SETTINGS, apiUrl: 'https://' }, 400, 'BAD_REQUEST']
  ])('refuses settings with %s, and sends nothing', async (_name, settings, status, code) => {
    for (const { action, event } of CASES) {
      expect(await deliver(action === 'identifyContact' ? mode : 'single', action, event, { settings })).toMatchObject({
        status,
        code
      })
    }
  })

  it.each([
    ['', ORIGIN],
    ['  ', ORIGIN],
    ['emailsendx.example.com', 'https://emailsendx.example.com'],
    ['https://emailsendx.example.com/', 'https://emailsendx.example.com'],
    [' https://emailsendx.example.com:8443//api/v1 ', 'https://emailsendx.example.com:8443'],
    ['http://localhost:4010', 'http://localhost:4010'],
    ['http://127.0.0.10:4010/', 'http://127.0.0.10:4010'],
    ['http://[::1]:4010', 'http://[::1]:4010']
  ])('takes %j as the address %s', async (apiUrl, origin) => {
    const call = nock(origin)
      .post('/api/v1/contacts/bulk')
      .matchHeader('authorization', `Bearer ${SETTINGS.apiKey}`)
      .matchHeader('content-type', /application\/json/)
      .reply(200, {})
    const settings = { apiKey: ` ${SETTINGS.apiKey}\n`, apiUrl }
    expect((await deliver(mode, 'identifyContact', CASES[0].event, { settings })).status).toBe(200)
    call.done()
  })

  it('never takes http in Segment, not even to itself', async () => {
    delete process.env.EMAILSENDX_ALLOW_HTTP
    for (const apiUrl of ['http://localhost:4010', 'http://127.0.0.1:4010', 'http://[::1]:4010']) {
      const result = await deliver(mode, 'identifyContact', CASES[0].event, { settings: { ...SETTINGS, apiUrl } })
      expect(result).toMatchObject({ status: 400, code: 'BAD_REQUEST' })
      expect(result.message).toContain('must start with https://')
    }
  })

  it.each([
    ['https://exa mple.com', 'it is no web address'],
    ['example.com/?to=https://x.io', 'give only the address of the server']
  ])('says what is wrong with the address %j', async (apiUrl, words) => {
    const result = await deliver(mode, 'identifyContact', CASES[0].event, { settings: { ...SETTINGS, apiUrl } })
    expect(result.message).toContain(words)
  })

  it('a 404 without a list points at the API URL', async () => {
    CASES[0].fails((interceptor) => interceptor.reply(404, '<html>Not found</html>'))
    const result = await deliver(mode, 'identifyContact', CASES[0].event)
    expect(result).toMatchObject({ status: 404, code: 'NOT_FOUND' })
    expect(result.message).toContain('Check the API URL')
  })
})

it('what is delivered leaves no timer behind, which would keep a program from ending', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
  CASES[0].fails((interceptor) => interceptor.reply(200, {}))
  const before = timers()
  await deliver('single', 'identifyContact', CASES[0].event)
  expect(timers()).toBeLessThanOrEqual(before)
})

describe('an answer that trickles in and never ends', () => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write('{"data":')
  })

  beforeAll(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  beforeEach(() => nock.enableNetConnect('127.0.0.1'))
  afterEach(() => nock.disableNetConnect())
  afterAll(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })

  const send = (signal: AbortSignal) =>
    createTestIntegration(definition).executeBatch('identifyContact', {
      events: [createTestEvent({ type: 'identify', traits: { email: EMAIL } })],
      mapping: defaultValues(definition.actions.identifyContact.fields),
      settings: { ...SETTINGS, apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
      signal
    })

  it('is given up when Segment ends the request', async () => {
    const segment = new AbortController()
    server.once('request', () => setImmediate(() => segment.abort()))
    expect(await send(segment.signal)).toMatchObject([{ errortype: 'RETRYABLE_ERROR' }])
  })

  it('is given up after 30 seconds, also when Segment passes a signal and so switches the usual timeout off', async () => {
    const inReality = setTimeout
    const clock = jest.spyOn(global, 'setTimeout')
    clock.mockImplementation(((action: () => void, ms: number) => inReality(action, ms === 30_000 ? 200 : ms)) as never)
    expect(await send(new AbortController().signal)).toMatchObject([{ status: 504, errortype: 'RETRYABLE_ERROR' }])
    clock.mockRestore()
  })
})
