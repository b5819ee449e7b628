import nock from 'nock'
import { MAX_BODY_BYTES } from '../../constants'
import { FakeApi, fire, isolate, ORIGIN, track } from '../../__tests__/__helpers__/deliver'

isolate()

const EMAIL = 'morgan@acme.com'
const hoursAgo = (hours: number) => new Date(Date.now() - hours * 60 * 60 * 1000).toISOString()

function apiWith(...emails: string[]): FakeApi {
  const api = new FakeApi()
  emails.forEach((email) => api.addContact(email))
  return api
}

describe('Track Event', () => {
  it('fires the event of the product page', async () => {
    const api = apiWith(EMAIL)
    const properties = { orderId: 'ord_xyz123', amount: 99.0, currency: 'USD', items: ['Pro Plan - Annual'] }
    const result = await fire(track('purchase_completed', EMAIL, { properties }))
    expect(result.status).toBe(200)
    expect(api.events).toEqual([{ contactId: `id of ${EMAIL}`, name: 'purchase_completed', data: properties }])
  })

  describe('email', () => {
    it.each([
      [
        'context.traits.email',
        {
          context: { traits: { email: EMAIL } },
          traits: { email: 'x@y.co' },
          properties: { email: 'p@q.co' },
          userId: 'u@v.co'
        }
      ],
      [
        'then traits.email',
        { context: {}, traits: { email: EMAIL }, properties: { email: 'p@q.co' }, userId: 'u@v.co' }
      ],
      [
        'never an empty one',
        { context: { traits: { email: '' } }, traits: { email: '' }, properties: { email: EMAIL } }
      ],
      ['then properties.email', { context: {}, properties: { email: ' Morgan@ACME.com ' }, userId: 'u@v.co' }],
      ['then a user id that is an email', { context: {}, userId: EMAIL }]
    ])('is %s', async (_name, event) => {
      const api = apiWith(EMAIL, 'x@y.co', 'p@q.co', 'u@v.co')
      await fire({ ...track('e', undefined), ...event })
      expect(api.events.map(({ contactId }) => contactId)).toEqual([`id of ${EMAIL}`])
    })

    it('that is none is refused without a request, also beside a user id', async () => {
      const api = apiWith(EMAIL)
      const result = await fire(track('e', 'not an email', { userId: 'user_12345' }))
      expect(result).toMatchObject({ status: 400, code: 'PAYLOAD_VALIDATION_FAILED' })
      expect(api.requests).toEqual([])
    })
  })

  describe('event name', () => {
    it.each([
      ['Purchase Completed', 'purchase_completed'],
      ['purchase_completed', 'purchase_completed'],
      ['PURCHASE_COMPLETED', 'purchase_completed'],
      ['  Purchase \t __ Completed ', 'purchase_completed'],
      ['Purchase-Completed', 'purchase-completed'],
      ['注文 完了', '注文_完了']
    ])('%j is sent as %j', async (event, name) => {
      const api = apiWith(EMAIL)
      await fire(track(event, EMAIL))
      await fire(track(event, EMAIL), { without: ['eventNameForm'] })
      expect(api.events.map((fired) => fired.name)).toEqual([name, name])
    })

    it('is sent untouched when asked to', async () => {
      const api = apiWith(EMAIL)
      await fire(track(' Purchase  Completed', EMAIL), { mapping: { eventNameForm: 'as_sent' } })
      expect(api.events[0].name).toBe(' Purchase  Completed')
    })

    it.each([[undefined], [null], [''], ['  '], [{ name: 'x' }]])('%j is refused', async (event) => {
      const api = apiWith(EMAIL)
      const result = await fire(track(event, EMAIL))
      expect(result).toMatchObject({ status: 400, code: 'PAYLOAD_VALIDATION_FAILED' })
      expect(result.message).toMatch(/event ?name|no name/i)
      expect(api.requests).toEqual([])
    })
  })

  describe('properties', () => {
    it('go as they are, nulls and nesting included', async () => {
      const api = apiWith(EMAIL)
      const properties = { a: null, b: '', c: { d: [1, { e: 2 }] }, f: 2 ** 60 }
      await fire(track('e', EMAIL, { properties }))
      expect(api.events[0].data).toEqual(properties)
    })

    it('nested more than 100 levels deep are refused, and nothing is fired', async () => {
      const api = apiWith(EMAIL)
      const deep = (levels: number) => Array.from({ length: levels }).reduce<object>((inner) => ({ d: inner }), {})
      const result = await fire(track('e', EMAIL, { properties: deep(2600) as never }))
      expect(result).toMatchObject({ status: 400, code: 'PAYLOAD_VALIDATION_FAILED' })
      expect(result.message).toContain('100 levels deep')
      expect(api.requests).toEqual([])
      expect((await fire(track('e', EMAIL, { properties: deep(100) as never }))).status).toBe(200)
    })

    it('may be missing', async () => {
      const api = apiWith(EMAIL)
      await fire(track('e', EMAIL))
      expect(api.events).toEqual([{ contactId: `id of ${EMAIL}`, name: 'e' }])
    })

    it.each([[{}], [[]]])('that are empty, as PHP writes them or not, are as good as none: %j', async (properties) => {
      const api = apiWith(EMAIL)
      await fire(track('e', EMAIL, { properties: properties as never }))
      expect(api.events).toEqual([{ contactId: `id of ${EMAIL}`, name: 'e' }])
    })

    it.each([
      ['an array', ['a']],
      ['a text', 'a']
    ])('that are %s are refused', async (_name, properties) => {
      const result = await fire(track('e', EMAIL, { properties: properties as never }))
      expect(result).toMatchObject({ status: 400, code: 'PAYLOAD_VALIDATION_FAILED' })
      expect(result.message).toContain('Properties must be an object')
    })

    it('are refused above 1 MB, to the byte, with the name of the event', async () => {
      const api = apiWith(EMAIL)
      const rest = JSON.stringify({ name: 'e', data: { text: '' } }).length
      const fireSized = (bytes: number) => fire(track('e', EMAIL, { properties: { text: 'x'.repeat(bytes - rest) } }))
      const result = await fireSized(MAX_BODY_BYTES + 1)
      expect(result).toMatchObject({ status: 400, code: 'PAYLOAD_VALIDATION_FAILED' })
      expect(result.message).toContain(`has ${MAX_BODY_BYTES + 1} bytes of properties`)
      expect(api.requests).toEqual([])
      expect((await fireSized(MAX_BODY_BYTES)).status).toBe(200)
    })
  })

  describe('finding the contact', () => {
    it('takes only the exact address, in any case, from whatever a search brings', async () => {
      nock(ORIGIN)
        .get('/api/v1/contacts')
        .query({ search: 'ann@x.io', limit: 100, page: 1 })
        .reply(200, {
          data: [
            { id: 'c1', email: 'joann@x.io' },
            { id: 'c2', email: 'ann@x.io.example' },
            { id: 'c3', email: 'Ann@X.io', firstName: 'Ann' }
          ]
        })
      const fired = nock(ORIGIN).post('/api/v1/contacts/c3/events').reply(200, {})
      expect((await fire(track('e', 'ann@x.io'))).status).toBe(200)
      fired.done()
    })

    it('reads further pages, by the page count or, without one, while pages are full', async () => {
      const page = (number: number, rows: object[], pagination?: object) =>
        nock(ORIGIN)
          .get('/api/v1/contacts')
          .query({ search: 'ann@x.io', limit: 100, page: number })
          .reply(200, { data: rows, pagination })
      page(1, [{ id: 'c1', email: 'joann@x.io' }], { page: 1, totalPages: 2 })
      page(
        2,
        Array.from({ length: 100 }, (_, i) => ({ id: `d${i}`, email: `${i}ann@x.io` }))
      )
      page(3, [{ id: 'c3', email: 'ann@x.io' }], { page: 3, totalPages: 9 })
      const fired = nock(ORIGIN).post('/api/v1/contacts/c3/events').reply(200, {})
      expect((await fire(track('e', 'ann@x.io'))).status).toBe(200)
      fired.done()
    })

    it('copes with rows that are odd', async () => {
      nock(ORIGIN)
        .get('/api/v1/contacts')
        .query(true)
        .reply(200, {
          data: [
            null,
            7,
            { id: 'c0', email: 7 },
            { id: 8, email: EMAIL },
            { id: '', email: EMAIL },
            { id: 'c1', email: ` ${EMAIL} ` }
          ]
        })
      const fired = nock(ORIGIN).post('/api/v1/contacts/c1/events').reply(200, {})
      expect((await fire(track('e', EMAIL))).status).toBe(200)
      fired.done()
    })

    it.each([
      ['50 pages, however many there are', 1000, 50],
      ['the pages that there are', 2, 2],
      ['no page after one without anybody', 3, 1, 0]
    ])('reads %s', async (_name, totalPages, pages, rows = 100) => {
      let requests = 0
      nock(ORIGIN)
        .persist()
        .get('/api/v1/contacts')
        .query(true)
        .reply(() => {
          requests++
          const data = Array.from({ length: rows }, (_, i) => ({ id: `d${i}`, email: `${i}${EMAIL}` }))
          return [200, { data, pagination: { totalPages } }]
        })
      expect((await fire(track('e', EMAIL))).status).toBe(503)
      expect(requests).toBe(pages)
    })

    it('never builds a path out of what is not encoded', async () => {
      nock(ORIGIN)
        .get('/api/v1/contacts')
        .query(true)
        .reply(200, { data: [{ id: '../lists?x=#', email: EMAIL }] })
      const fired = nock(ORIGIN).post('/api/v1/contacts/..%2Flists%3Fx%3D%23/events').reply(200, {})
      await fire(track('e', EMAIL))
      fired.done()
    })

    it('looks again, once, when a remembered contact is gone', async () => {
      const api = apiWith(EMAIL)
      await fire(track('first', EMAIL))
      api.contacts.set(EMAIL, 'new id')
      expect((await fire(track('second', EMAIL))).status).toBe(200)
      expect(api.events.map(({ contactId, name }) => [contactId, name])).toEqual([
        [`id of ${EMAIL}`, 'first'],
        ['new id', 'second']
      ])
      api.contacts.delete(EMAIL)
      expect((await fire(track('third', EMAIL))).status).toBe(503)
      const looks = api.requests.filter((request) => request === 'GET /contacts').length
      expect(looks).toBe(3)

      api.requests.length = 0
      await fire(track('fourth', EMAIL))
      expect(api.requests).toEqual(['GET /contacts'])
    })

    it('keeps the contacts of different workspaces apart', async () => {
      const api = apiWith(EMAIL)
      await fire(track('e', EMAIL), { settings: { apiKey: 'one' } })
      await fire(track('e', EMAIL), { settings: { apiKey: 'two' } })
      expect(api.requests.filter((request) => request === 'GET /contacts').length).toBe(2)
    })
  })

  describe('unknown contact', () => {
    it.each([
      ['just now', 0, 503, 'RETRYABLE_ERROR'],
      ['59 minutes ago', 59 / 60, 503, 'RETRYABLE_ERROR'],
      ['in the future, by a clock that runs ahead', -3, 503, 'RETRYABLE_ERROR'],
      ['61 minutes ago', 61 / 60, 404, 'NOT_FOUND']
    ])('waits by default: an event of %s', async (_name, hours, status, code) => {
      const api = apiWith()
      const result = await fire(track('e', EMAIL, { timestamp: hoursAgo(hours) }))
      expect(result).toMatchObject({ status, code })
      expect(api.events).toEqual([])
      const again = await fire(track('e', EMAIL, { timestamp: hoursAgo(hours) }), {
        without: ['unknownContact']
      })
      expect(again).toMatchObject({ status, code })
    })

    it('waits, too, when the event has no timestamp', async () => {
      apiWith()
      const result = await fire(track('e', EMAIL, { timestamp: undefined }))
      expect(result).toMatchObject({ status: 503, code: 'RETRYABLE_ERROR' })
    })

    it('is created when asked to, by email alone, and gets the event', async () => {
      const api = apiWith()
      const result = await fire(track('e', EMAIL), { mapping: { unknownContact: 'create' } })
      expect(result.status).toBe(200)
      expect(api.created).toEqual([{ email: EMAIL }])
      expect(api.events.map(({ contactId }) => contactId)).toEqual([`id of ${EMAIL}`])
    })

    it('is looked up when the answer to its creation has no id', async () => {
      nock(ORIGIN).get('/api/v1/contacts').query(true).reply(200, { data: [] })
      nock(ORIGIN).post('/api/v1/contacts').reply(204)
      nock(ORIGIN)
        .get('/api/v1/contacts')
        .query(true)
        .reply(200, { data: [{ id: 'c9', email: EMAIL }] })
      const fired = nock(ORIGIN).post('/api/v1/contacts/c9/events').reply(200, {})
      const result = await fire(track('e', EMAIL), { mapping: { unknownContact: 'create' } })
      expect(result.status).toBe(200)
      fired.done()
    })

    it('is not created by a key that lacks the scope, which is named', async () => {
      nock(ORIGIN).get('/api/v1/contacts').query(true).reply(200, { data: [] })
      nock(ORIGIN).post('/api/v1/contacts').reply(403, { error: 'No' })
      const result = await fire(track('e', EMAIL), { mapping: { unknownContact: 'create' } })
      expect(result).toMatchObject({ status: 403, message: expect.stringContaining('the contacts:write scope') })
    })

    it('is created, too, when a search still finds one that is gone', async () => {
      nock(ORIGIN)
        .get('/api/v1/contacts')
        .query(true)
        .reply(200, { data: [{ id: 'c1', email: EMAIL }] })
      nock(ORIGIN).post('/api/v1/contacts/c1/events').reply(404, { error: 'Contact not found' })
      nock(ORIGIN)
        .post('/api/v1/contacts')
        .reply(201, { data: { id: 'c2' } })
      const fired = nock(ORIGIN).post('/api/v1/contacts/c2/events').reply(200, {})
      expect((await fire(track('e', EMAIL), { mapping: { unknownContact: 'create' } })).status).toBe(200)
      fired.done()
    })

    it('is refused at once when asked to', async () => {
      const api = apiWith()
      const result = await fire(track('e', EMAIL), { mapping: { unknownContact: 'skip' } })
      expect(result).toMatchObject({ status: 404, code: 'NOT_FOUND' })
      expect(result.message).toContain('no contact with this email address')
      expect(api.requests).toEqual(['GET /contacts'])
    })
  })

  describe('maximum age', () => {
    const mapping = { maxAgeHours: 24 }

    it('is off by default', async () => {
      const api = apiWith(EMAIL)
      await fire(track('e', EMAIL, { timestamp: '2015-01-01T00:00:00Z' }))
      expect(api.events.length).toBe(1)
    })

    it.each([
      ['25 hours ago', hoursAgo(25)],
      ['last year, in seconds', String(Math.floor(Date.now() / 1000) - 365 * 86400)],
      ['last year, in milliseconds', String(Date.now() - 365 * 86_400_000)]
    ])('refuses an event of %s', async (_name, timestamp) => {
      const api = apiWith(EMAIL)
      const result = await fire(track('e', EMAIL, { timestamp }), { mapping })
      expect(result).toMatchObject({ status: 400, code: 'PAYLOAD_VALIDATION_FAILED' })
      expect(result.message).toContain('ignores events older than 24 hours')
      expect(api.requests).toEqual([])
    })

    it.each([
      ['23 hours ago', hoursAgo(23)],
      ['a time that is none', 'yesterday'],
      ['a blank time', ''],
      ['no one knows when', undefined]
    ])('takes an event of %s', async (_name, timestamp) => {
      const api = apiWith(EMAIL)
      await fire(track('e', EMAIL, { timestamp }), { mapping })
      expect(api.events.length).toBe(1)
    })
  })
})

describe('Track Event, one after the other', () => {
  async function fireAll(events: ReturnType<typeof track>[], options = {}) {
    const results = []
    for (const event of events) results.push(await fire(event, options))
    return results
  }

  it('looks a contact up once, and keeps the order of its events', async () => {
    const emails = Array.from({ length: 10 }, (_, i) => `p${i}@x.co`)
    const api = apiWith(...emails)
    const events = Array.from({ length: 100 }, (_, i) => track(`e${i}`, emails[i % 10]))
    const results = await fireAll(events)
    expect(results.every(({ status }) => status === 200)).toBe(true)
    const count = (request: string) => api.requests.filter((seen) => seen === request).length
    expect([count('GET /contacts'), count('POST /contacts/{id}/events')]).toEqual([10, 100])
    expect(api.events.map(({ name }) => name)).toEqual(events.map(({ event }) => event))
  })

  it('creates an unknown contact once', async () => {
    const api = apiWith()
    await fireAll([track('a', EMAIL), track('b', EMAIL)], { mapping: { unknownContact: 'create' } })
    expect(api.created.length).toBe(1)
    expect(api.events.map(({ name }) => name)).toEqual(['a', 'b'])
  })
})
