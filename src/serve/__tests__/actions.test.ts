import type { Exchange } from '../contract/exchanges'
import { startServed } from './__helpers__/served'

let served: Awaited<ReturnType<typeof startServed>>
beforeAll(async () => {
  served = await startServed()
})
beforeEach(() => {
  served.upstream.received.length = 0
  served.upstream.answer(() => ({ json: { ok: true } }))
})
afterAll(() => served.close())

const ada = { type: 'identify', traits: { email: 'ada@example.com' } }
const bob = { type: 'identify', traits: { email: 'bob@example.com' } }
const track = { type: 'track', traits: { email: 'tracked@example.com' } }
const noEmail = { type: 'identify', traits: {} }

describe('one event', () => {
  it('is answered with the requests made and their answers, the key redacted', async () => {
    const { status, json } = await served.post('/save', { payload: ada, settings: served.settings })
    expect(status).toBe(200)
    expect(json).toEqual([
      {
        request: {
          url: `${served.upstream.url}/people`,
          method: 'POST',
          headers: {
            authorization: '<redacted>',
            'content-type': 'application/json',
            'user-agent': 'Segment (Actions)',
            'x-tenant': 'acme'
          },
          body: '{"email":"ada@example.com"}'
        },
        response: {
          statusCode: 200,
          statusMessage: 'OK',
          headers: expect.objectContaining({ 'content-type': 'application/json' }),
          body: { ok: true }
        }
      }
    ])
    expect(Object.keys(json[0].request)).toEqual(['url', 'method', 'headers', 'body'])
    expect(Object.keys(json[0].response)).toEqual(['statusCode', 'statusMessage', 'headers', 'body'])
    expect(served.upstream.received[0].headers.authorization).toBe('Bearer secret key')
  })

  it('shows a request without a body as an empty text, and an answer that is not JSON as text', async () => {
    served.upstream.answer(() => ({ text: '<h1>Hi</h1>' }))
    const { json } = await served.post('/delete', { payload: { userId: 'u1' }, settings: served.settings })
    expect(json[0].request).toMatchObject({ method: 'DELETE', body: '' })
    expect(json[0].response.body).toBe('<h1>Hi</h1>')
  })

  it('overlays the default mapping with the one given', async () => {
    await served.post('/save', {
      payload: { ...ada, plan: 'pro' },
      mapping: { plan: { '@path': '$.plan' } },
      settings: served.settings
    })
    expect(JSON.parse(served.upstream.received[0].body)).toEqual({ email: 'ada@example.com', plan: 'pro' })
  })

  it('is its own mapping where the action has no defaults and none is given', async () => {
    await served.post('/echo', { payload: { any: 'thing' }, settings: served.settings })
    expect(JSON.parse(served.upstream.received[0].body).payload).toEqual({ any: 'thing' })
  })

  it('reaches the action with auth, features and audience settings', async () => {
    await served.post('/echo', {
      payload: { context: { personas: { audience_settings: { list: 'l1' } } } },
      settings: served.settings,
      auth: { accessToken: 'a1', anything: 'else' },
      features: { beta: true }
    })
    expect(JSON.parse(served.upstream.received[0].body)).toMatchObject({
      auth: { accessToken: 'a1', anything: 'else' },
      features: { beta: true },
      audienceSettings: { list: 'l1' }
    })
  })

  it('takes tokens in the spelling of the documentation too', async () => {
    await served.post('/echo', { payload: ada, settings: served.settings, oauth: { access_token: 'o1' } })
    expect(served.upstream.received[0].headers.authorization).toBe('Bearer o1')
  })

  it('is sent whatever its type: no subscription is checked', async () => {
    await served.post('/save', { payload: track, settings: served.settings })
    expect(served.upstream.received).toHaveLength(1)
  })

  it('keeps keys such as __proto__ for the destination to judge', async () => {
    const payload = '{"__proto__":{"a":1},"constructor":2}'
    await served.post('/echo', `{"payload":${payload},"settings":${JSON.stringify(served.settings)}}`)
    expect(served.upstream.received[0].body).toContain('"constructor":2')
    expect(({} as { a?: number }).a).toBeUndefined()
  })
})

describe('an action that fails', () => {
  it('is 200 with one error: status, message, stack as lines, mark', async () => {
    const { status, json } = await served.post('/refuse', { payload: {} })
    expect(status).toBe(200)
    expect(json).toEqual([{ statusCode: 422, message: 'Not today.', stack: expect.any(Array), requestError: true }])
    expect(Object.keys(json[0])).toEqual(['statusCode', 'message', 'stack', 'requestError'])
    expect(json[0].stack[0]).toBe('IntegrationError: Not today.')
    expect(json[0].stack.join()).not.toContain(process.cwd())
  })

  it('names the fields of a schema error, with the original’s status 500', async () => {
    const { json } = await served.post('/save', { payload: { traits: { email: 'nope' } }, settings: served.settings })
    const message = 'Email must be a valid email address string but it was not.'
    expect(json).toEqual([
      { statusCode: 500, message, stack: expect.any(Array), fields: { email: message }, requestError: true }
    ])
    expect(Object.keys(json[0])).toEqual(['statusCode', 'message', 'stack', 'fields', 'requestError'])
  })

  it('gives a field that is missing at the root the name $', async () => {
    const { json } = await served.post('/save', { settings: served.settings })
    expect(json[0].fields).toEqual({ $: "The root value is missing the required field 'email'." })
  })

  it.each([
    [{ status: 429, json: { error: { message: 'slow down' } } }, 429, { error: { message: 'slow down' } }],
    [{ status: 502, text: '<b>bad</b>' }, 502, '<b>bad</b>']
  ])('has the status and the answer of the API: %j', async (answer, statusCode, message) => {
    served.upstream.answer(() => answer)
    const { json } = await served.post('/save', { payload: ada, settings: served.settings })
    expect(json).toEqual([{ statusCode, message, stack: expect.any(Array), requestError: true }])
  })

  it('is 500 when the API hangs up', async () => {
    served.upstream.answer(() => 'hang up')
    const { json } = await served.post('/save', { payload: ada, settings: served.settings })
    expect(json[0]).toMatchObject({ statusCode: 500, requestError: true })
  })

  it('leaves nothing behind in the next call', async () => {
    served.upstream.answer(() => ({ status: 500, json: {} }))
    await served.post('/save', { payload: ada, settings: served.settings })
    served.upstream.answer(() => ({ json: { ok: true } }))
    const { json } = await served.post('/save', { payload: bob, settings: served.settings })
    expect(json).toHaveLength(1)
    expect(json[0].request.body).toContain('bob@')
  })

  it.each([
    ['payload', 'text', 'payload must be an object (one event) or an array (a batch)'],
    ['settings', 'text', 'settings must be an object'],
    ['mapping', [1], 'mapping must be an object']
  ])('says what is wrong with %s = %j', async (key, value, message) => {
    const { status, json } = await served.post('/save', { payload: ada, settings: served.settings, [key]: value })
    expect(status).toBe(200)
    expect(json).toEqual([{ statusCode: 400, message, stack: expect.any(Array), requestError: true }])
    expect(served.upstream.received).toEqual([])
  })
})

describe('a batch', () => {
  it('is answered with the exchanges', async () => {
    const { json } = await served.post('/save', { payload: [ada, bob], settings: served.settings })
    expect(json).toHaveLength(1)
    expect(JSON.parse(json[0].request.body)).toEqual([{ email: 'ada@example.com' }, { email: 'bob@example.com' }])
  })

  it('of nothing is nothing', async () => {
    expect((await served.post('/save', { payload: [], settings: served.settings })).json).toEqual([])
    const { json } = await served.post('/save?multistatus=true', { payload: [], settings: served.settings })
    expect(json).toEqual({ exchanges: [], multistatus: [] })
  })

  it('with rows that are no objects sends the others', async () => {
    const payload = [null, ada, 'text', bob, 7]
    const { json } = await served.post('/save?multistatus=true', { payload, settings: served.settings })
    expect(JSON.parse(served.upstream.received[0].body)).toEqual([
      { email: 'ada@example.com' },
      { email: 'bob@example.com' }
    ])
    expect(json.multistatus.map(({ status }: { status: number }) => status)).toEqual([400, 200, 400, 200, 400])
  })

  it('for an action without batches is its error', async () => {
    const { json } = await served.post('/echo', { payload: [ada], settings: served.settings })
    expect(json[0]).toMatchObject({ statusCode: 501, message: 'This action does not support batched requests.' })
  })
})

describe('with multistatus', () => {
  const gone = { type: 'identify', traits: { email: 'gone@example.com' }, plan: 'gone' }
  const mapping = { plan: { '@path': '$.plan' } }

  it.each([
    ['/save?multistatus=true', {}],
    ['/save', { 'x-multistatus': 'true' }]
  ])('a batch also says what became of each event, in their order: %s %j', async (path, headers) => {
    const body = { payload: [noEmail, ada, gone, bob], mapping, settings: served.settings }
    const { status, json } = await served.post(path, body, headers)
    expect(status).toBe(200)
    expect(Object.keys(json)).toEqual(['exchanges', 'multistatus'])
    expect(json.exchanges).toHaveLength(1)
    expect(json.multistatus).toEqual([
      {
        status: 400,
        errortype: 'PAYLOAD_VALIDATION_FAILED',
        errormessage: "The root value is missing the required field 'email'.",
        errorreporter: 'INTEGRATIONS'
      },
      { status: 200, sent: { email: 'ada@example.com' }, body: 'saved' },
      expect.objectContaining({ status: 400, errormessage: 'no such plan', errorreporter: 'DESTINATION' }),
      { status: 200, sent: { email: 'bob@example.com' }, body: 'saved' }
    ])
  })

  it('one event has one row', async () => {
    const { json } = await served.post('/save?multistatus=true', { payload: ada, settings: served.settings })
    expect(json.multistatus).toEqual([{ status: 200, sent: { email: 'ada@example.com' }, body: { ok: true } }])
    expect(json.exchanges).toHaveLength(1)
  })

  it('a schema error is the 400 that the platform makes of it', async () => {
    const { json } = await served.post('/save?multistatus=true', { payload: noEmail, settings: served.settings })
    const message = "The root value is missing the required field 'email'."
    expect(json).toEqual({
      exchanges: [],
      multistatus: [
        {
          status: 400,
          errortype: 'PAYLOAD_VALIDATION_FAILED',
          errormessage: message,
          errorreporter: 'INTEGRATIONS',
          fields: { $: message }
        }
      ],
      error: { statusCode: 400, message, fields: { $: message }, requestError: true }
    })
  })

  it('a batch that fails wholly gives every event its error, and the requests made until then', async () => {
    served.upstream.answer(() => ({ status: 503, json: { error: 'closed' } }))
    const { json } = await served.post('/save?multistatus=true', { payload: [ada, bob], settings: served.settings })
    const row = {
      status: 503,
      errortype: 'SERVICE_UNAVAILABLE',
      errormessage: '{"error":"closed"}',
      errorreporter: 'DESTINATION'
    }
    expect(json.multistatus).toEqual([row, row])
    expect(json.exchanges).toHaveLength(1)
    expect(json.error).toEqual({ statusCode: 503, message: { error: 'closed' }, requestError: true })
  })
})

describe('with subscription', () => {
  const path = '/save?subscription=true&multistatus=true'
  const refused = {
    status: 400,
    errortype: 'PAYLOAD_VALIDATION_FAILED',
    errormessage: 'Payload is either invalid or does not match the subscription',
    errorreporter: 'INTEGRATIONS'
  }

  it('sends what the default subscription of the action takes', async () => {
    const { json } = await served.post(path, { payload: [ada, track, bob], settings: served.settings })
    expect(json.multistatus).toEqual([
      expect.objectContaining({ status: 200 }),
      refused,
      expect.objectContaining({ status: 200 })
    ])
    expect(JSON.parse(served.upstream.received[0].body)).toHaveLength(2)
  })

  it.each([[track], [[track, track]]])('sends nothing that it does not take: %j', async (payload) => {
    const { json } = await served.post(path, { payload, settings: served.settings })
    expect(json).toEqual({ exchanges: [], multistatus: Array.isArray(payload) ? [refused, refused] : [refused] })
    expect((await served.post('/save?subscription=true', { payload, settings: served.settings })).json).toEqual([])
  })

  it('takes a subscription of the call', async () => {
    const body = { payload: track, subscribe: 'type = "track"', settings: served.settings }
    expect((await served.post(path, body)).json.multistatus[0].status).toBe(200)
  })

  it.each([[ada], [[ada]]])('says that a subscription cannot be read: %j', async (payload) => {
    const { json } = await served.post(path, { payload, subscribe: 'type = "track', settings: served.settings })
    expect(json.multistatus).toEqual([
      expect.objectContaining({ status: 400, errormessage: expect.stringMatching(/^Invalid subscription/) })
    ])
  })

  it('checks the settings, as the platform does', async () => {
    const { json } = await served.post(path, { payload: ada, settings: { upstream: served.upstream.url } })
    expect(json.multistatus[0]).toMatchObject({ status: 400, errormessage: expect.stringContaining("'apiKey'") })
  })

  it('refreshes the token after a 401, once', async () => {
    served.upstream.answer(({ url, headers }) => {
      if (url === '/token') return { json: { token: 'new' } }
      return headers.authorization === 'Bearer new' ? { json: {} } : { status: 401, json: {} }
    })
    const auth = { accessToken: 'old', refreshToken: 'r', clientId: 'c', clientSecret: 's' }
    const { json } = await served.post(path, { payload: ada, settings: served.settings, auth })
    expect(json.multistatus[0].status).toBe(200)
    expect(served.upstream.received.map(({ url }) => url)).toEqual(['/people', '/token', '/people'])
    expect(JSON.parse(served.upstream.received[1].body)).toEqual({
      clientId: 'c',
      clientSecret: 's',
      refreshToken: 'r'
    })
  })
})

it('keeps the exchanges of calls at the same time apart', async () => {
  const emails = Array.from({ length: 40 }, (_, index) => `person${index}@example.com`)
  const replies = await Promise.all(
    emails.map((email) => served.post('/save', { payload: { traits: { email } }, settings: served.settings }))
  )
  expect(replies.map(({ json }) => json.map(({ request }: Exchange) => JSON.parse(request.body).email))).toEqual(
    emails.map((email) => [email])
  )
})
