import nock from 'nock'
import { deliver, FakeApi, fire, identify, isolate, ORIGIN, track } from '../../__tests__/__helpers__/deliver'
import { forgetContacts } from '../../memory'
import { MISSING_ENDPOINT_MS } from '../../constants'

isolate()

const EMAIL = 'morgan@acme.com'
const USER = { userId: 'user_12345', anonymousId: 'anon_1' }
const ENDPOINT = 'POST /segment/track'

/** The two calls of the product page, as analytics.js sends them: the second says no address. */
const IDENTIFY = identify({ email: EMAIL, plan: 'pro' }, USER)
const TRACK = track('purchase_completed', undefined, {
  ...USER,
  messageId: 'm1',
  properties: { orderId: 'ord_xyz123' }
})

const identified = () => deliver('single', 'identifyContact', IDENTIFY)

describe('an event without an address', () => {
  it('reaches the contact of an identify() that this process has seen, without the endpoint', async () => {
    const api = new FakeApi()
    api.addContact(EMAIL)
    await identified()
    api.requests.length = 0
    expect((await fire(TRACK)).status).toBe(200)
    expect(api.requests).toEqual(['GET /contacts', 'POST /contacts/{id}/events'])
    expect(api.events).toMatchObject([{ contactId: `id of ${EMAIL}`, name: 'purchase_completed' }])
  })

  it('follows an address told for a user id, also where the user id is an address itself, such as a former one', async () => {
    const api = new FakeApi()
    api.addContact(EMAIL)
    await deliver('single', 'identifyContact', identify({ email: EMAIL }, { userId: 'former@acme.com' }))
    const event = { ...TRACK, userId: 'former@acme.com' }
    expect((await fire(event)).status).toBe(200)
    expect((await fire(event, { mapping: { email: ' ' } })).status).toBe(200)
    const contactId = `id of ${EMAIL}`
    expect(api.events).toMatchObject([{ contactId }, { contactId }])
  })

  it('follows an address told for a user id, also where EmailSendX is not told user ids', async () => {
    const api = new FakeApi()
    api.addContact(EMAIL)
    await deliver('single', 'identifyContact', IDENTIFY, { mapping: { linkUserId: false } })
    expect((await fire({ ...TRACK, anonymousId: undefined })).status).toBe(200)
    expect(api.events).toMatchObject([{ contactId: `id of ${EMAIL}` }])
  })

  it.each([{ userId: 'undefined' }, { anonymousId: 'undefined' }])(
    'is not mixed up with others by an id that a sender without one has made a text of: %j',
    async (ids) => {
      const api = new FakeApi()
      api.addContact(EMAIL)
      const nobody = { userId: undefined, anonymousId: undefined }
      await deliver('single', 'identifyContact', identify({ email: EMAIL }, nobody))
      expect((await fire({ ...TRACK, ...nobody, ...ids })).status).toBe(ids.userId ? 503 : 400)
      await deliver('single', 'identifyContact', identify({ email: EMAIL }, { ...nobody, ...ids }))
      await fire({ ...TRACK, ...nobody, ...(ids.userId ? { anonymousId: 'anon_2' } : { userId: 'user_2' }) })
      expect(api.events).toEqual([])
    }
  )

  it('reaches it from a process that has not seen the identify(), since EmailSendX was told the user id', async () => {
    const api = new FakeApi()
    await identified()
    forgetContacts()
    api.requests.length = 0
    expect((await fire(TRACK)).status).toBe(200)
    expect(api.requests).toEqual([ENDPOINT])
    expect(api.events).toEqual([
      { contactId: `id of ${EMAIL}`, name: 'purchase_completed', data: { orderId: 'ord_xyz123' } }
    ])
  })

  it('is handed over in Segment’s words, in the chosen form, and with nothing that it does not say', async () => {
    const api = new FakeApi()
    api.answerCall = () => [200, {}]
    const context = { page: { path: '/' } }
    await fire({ ...TRACK, event: 'Purchase Completed', context, timestamp: '2026-04-22T09:15:30Z' })
    await fire(
      {
        type: 'track',
        event: 'Purchase Completed',
        userId: 'u1',
        timestamp: undefined,
        messageId: undefined,
        context: undefined
      },
      {
        mapping: { eventNameForm: 'as_sent' }
      }
    )
    expect(api.calls).toEqual([
      {
        type: 'track',
        event: 'purchase_completed',
        ...USER,
        messageId: 'm1',
        timestamp: '2026-04-22T09:15:30Z',
        properties: { orderId: 'ord_xyz123' },
        context
      },
      { type: 'track', event: 'Purchase Completed', userId: 'u1' }
    ])
  })

  it('goes by a user id that is an address before anything else', async () => {
    const api = new FakeApi()
    api.addContact(EMAIL)
    expect((await fire({ ...TRACK, userId: EMAIL })).status).toBe(200)
    expect(api.calls).toEqual([])
  })

  it('goes by the device when nobody was named', async () => {
    const api = new FakeApi()
    api.addContact(EMAIL)
    await deliver('single', 'identifyContact', identify({ email: EMAIL }, { anonymousId: 'anon_1' }))
    expect((await fire({ ...TRACK, userId: undefined })).status).toBe(200)
    expect(api.events).toHaveLength(1)
    expect((await fire({ ...TRACK, userId: 'user_new' })).status).toBe(200)
    expect(api.events).toHaveLength(2)
    await identified()
    expect((await fire({ ...TRACK, userId: undefined })).status).toBe(200)
    expect(api.events).toHaveLength(3)
  })

  it('is not given to another user of the same device', async () => {
    const api = new FakeApi()
    api.addContact(EMAIL)
    await identified()
    expect((await fire({ ...TRACK, userId: 'somebody_else' })).status).toBe(503)
    expect(api.events).toEqual([])
  })

  it('is not given to a second user of a device that was nobody’s before', async () => {
    const api = new FakeApi()
    api.addContact(EMAIL)
    await deliver('single', 'identifyContact', identify({ email: EMAIL }, { anonymousId: 'anon_1' }))
    await identified()
    expect((await fire({ ...TRACK, userId: 'somebody_else' })).status).toBe(503)
    expect(api.events).toEqual([])
  })

  it.each([
    ['user id', { userId: ' ', anonymousId: undefined }],
    ['anonymous id', { userId: undefined, anonymousId: '\t' }],
    ['user id and anonymous id', { userId: '', anonymousId: '' }]
  ])('is nobody’s with a blank %s, also when somebody came with the same one', async (_name, ids) => {
    const api = new FakeApi()
    api.addContact(EMAIL)
    await deliver('single', 'identifyContact', identify({ email: EMAIL }, ids))
    api.requests.length = 0
    expect(await fire({ ...TRACK, ...ids })).toMatchObject({ status: 400, code: 'PAYLOAD_VALIDATION_FAILED' })
    expect(api.requests).toEqual([])
  })

  it('knows nothing of another workspace', async () => {
    const api = new FakeApi()
    await identified()
    api.requests.length = 0
    await fire(TRACK, { settings: { apiKey: 'another' } })
    expect(api.requests).toEqual([ENDPOINT])
  })

  it('follows a user to a new address', async () => {
    const api = new FakeApi()
    api.addContact('new@acme.com')
    await identified()
    await deliver('single', 'identifyContact', identify({ email: 'new@acme.com' }, USER))
    await fire(TRACK)
    expect(api.events).toMatchObject([{ contactId: 'id of new@acme.com' }])
    forgetContacts()
    await fire(TRACK)
    expect(api.events).toMatchObject([{}, { contactId: 'id of new@acme.com' }])
  })

  it('of nobody at all is refused in clear words, without a request', async () => {
    const api = new FakeApi()
    for (const userId of [undefined, null, '']) {
      const result = await fire({ ...TRACK, userId })
      expect(result).toMatchObject({ status: 400, code: 'PAYLOAD_VALIDATION_FAILED' })
      expect(result.message).toMatch(/No email address and no User ID.*context\.traits\.email/)
    }
    expect(api.requests).toEqual([])
  })

  it('is refused without a request where the mapping says so', async () => {
    const api = new FakeApi()
    const result = await fire(TRACK, { mapping: { withoutEmail: 'reject' } })
    expect(result).toMatchObject({ status: 400, code: 'PAYLOAD_VALIDATION_FAILED' })
    expect(result.message).toContain('this mapping rejects events without one')
    expect(api.requests).toEqual([])
  })
})

describe('what the endpoint answers', () => {
  const answer = (status: number, body: nock.Body = {}) => nock(ORIGIN).post('/api/segment/track').reply(status, body)
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 60 * 60 * 1000).toISOString()

  it.each<[string, nock.Body]>([
    ['nothing', ''],
    ['success', { success: true }],
    ['data', { data: { matchingAutomations: 1 } }]
  ])('a 2xx with %s is delivered', async (_name, body) => {
    answer(200, body)
    expect((await fire(TRACK)).status).toBe(200)
  })

  it.each<[number, nock.Body]>([
    [404, { error: 'Not found' }],
    [404, { error: 'No contact for this userId' }],
    [400, { error: 'No contact for this userId: identify() comes first' }],
    [422, { message: 'Unknown user' }],
    [200, { error: 'Contact does not exist' }],
    [200, { success: false, message: 'User not found' }]
  ])('a %i with %j is an unknown contact', async (status, body) => {
    answer(status, body)
    const young = await fire({ ...TRACK, timestamp: hoursAgo(0.5) })
    expect(young).toMatchObject({ status: 503, code: 'RETRYABLE_ERROR' })
    expect(young.message).toContain('no contact with this User ID yet')
    answer(status, body)
    const old = await fire({ ...TRACK, timestamp: hoursAgo(2) })
    expect(old).toMatchObject({ status: 404, code: 'NOT_FOUND' })
    expect(old.message).toContain('Send an identify() with this User ID')
  })

  it('an unknown contact can’t be created without an address, which is said', async () => {
    answer(404, { error: 'Not found' })
    const result = await fire(TRACK, { mapping: { unknownContact: 'create' } })
    expect(result).toMatchObject({ status: 404, code: 'NOT_FOUND' })
    expect(result.message).toContain("can't be created without an email address")
  })

  it.each([
    [400, 'PAYLOAD_VALIDATION_FAILED', 400],
    [401, 'INVALID_AUTHENTICATION', 401],
    [403, 'FORBIDDEN', 403],
    [429, 'RETRYABLE_ERROR', 429],
    [500, 'RETRYABLE_ERROR', 500]
  ])('a %i is %s', async (status, code, reported) => {
    answer(status, { error: 'in the words of the API' })
    const result = await fire(TRACK)
    expect(result).toMatchObject({ status: reported, code })
    expect(result.message).toContain('in the words of the API')
  })

  it('something else that is not found is no unknown contact', async () => {
    answer(400, { error: 'Event type not found' })
    expect(await fire(TRACK)).toMatchObject({ status: 400, code: 'PAYLOAD_VALIDATION_FAILED' })
  })

  it('a page in between that says 502 is a fault that passes', async () => {
    answer(502, '<html>')
    expect(await fire(TRACK)).toMatchObject({ status: 502, code: 'RETRYABLE_ERROR' })
  })

  it('no answer is tried again', async () => {
    nock(ORIGIN).post('/api/segment/track').replyWithError({ code: 'ECONNRESET' })
    expect(await fire(TRACK)).toMatchObject({ status: 503, code: 'RETRYABLE_ERROR' })
  })

  it.each<[number, nock.Body]>([
    [404, '<!DOCTYPE html>'],
    [405, '<!DOCTYPE html>'],
    [404, '']
  ])('a %i with a page is a server without it: asked again only after a few minutes', async (status, page) => {
    const start = Date.now()
    const clock = jest.spyOn(Date, 'now')
    answer(status, page)
    for (const later of [0, MISSING_ENDPOINT_MS - 1]) {
      clock.mockReturnValue(start + later)
      const result = await fire(TRACK)
      expect(result).toMatchObject({ status: 400, code: 'PAYLOAD_VALIDATION_FAILED' })
      expect(result.message).toMatch(/lacks \/api\/segment\/track.*context\.traits\.email.*update the server/)
    }
    clock.mockReturnValue(start + MISSING_ENDPOINT_MS)
    answer(200)
    expect((await fire(TRACK)).status).toBe(200)
    clock.mockRestore()
  })

  it('another server is asked all the same', async () => {
    answer(404, '<!DOCTYPE html>')
    await fire(TRACK)
    nock('https://mail.example.com').post('/api/segment/track').reply(200, {})
    const settings = { apiKey: 'key', apiUrl: 'https://mail.example.com' }
    expect((await fire(TRACK, { settings })).status).toBe(200)
  })
})
