import { endSandboxes, start } from './__helpers__/running'

afterEach(endSandboxes)

/** The two calls of EmailSendX's Segment page. */
const IDENTIFY = {
  type: 'identify',
  userId: 'user_12345',
  anonymousId: 'anon_1',
  messageId: 'm1',
  timestamp: '2026-04-22T09:15:30.000Z',
  context: { library: { name: 'analytics.js' } },
  integrations: {},
  traits: {
    email: 'Morgan@acme.com',
    firstName: 'Morgan',
    lastName: 'Lee',
    plan: 'pro',
    company: 'Acme Corp',
    signupSource: 'landing'
  }
}
const TRACK = {
  type: 'track',
  event: 'purchase_completed',
  userId: 'user_12345',
  anonymousId: 'anon_1',
  messageId: 'm2',
  timestamp: '2026-04-22T09:15:31.000Z',
  context: { page: { path: '/' } },
  properties: { orderId: 'ord_xyz123', amount: 99, currency: 'USD', items: ['Pro Plan - Annual'] }
}

async function startWith(options: Parameters<typeof start>[0] = {}) {
  const sandbox = await start(options)
  return { ...sandbox, send: (body: unknown, path = '/api/segment/track') => sandbox.call(path, { body }) }
}

describe.each(['/api/segment/track', '/api/rudderstack/track'])('POST %s', (path) => {
  it('takes the two calls of the product page: Morgan gets her event and her automation starts', async () => {
    const { send, state } = await startWith()
    const identified = await send(IDENTIFY, path)
    const { contacts } = await state()
    expect(contacts).toEqual([
      expect.objectContaining({
        email: 'morgan@acme.com',
        firstName: 'Morgan',
        lastName: 'Lee',
        metadata: { plan: 'pro', company: 'Acme Corp', signupSource: 'landing' }
      })
    ])
    const contactId = contacts[0].id
    expect(identified).toMatchObject({ status: 200, body: { data: { contactId, created: true } } })
    expect(await send(TRACK, path)).toMatchObject({
      status: 200,
      body: { data: { contactId, eventName: 'purchase_completed', matchingAutomations: 1 } }
    })
    const { events, automationRuns, requests } = await state()
    expect(events).toEqual([expect.objectContaining({ contactId, data: TRACK.properties })])
    expect(automationRuns).toEqual([expect.objectContaining({ contactId, automationId: 'clx_auto_purchase_flow_id' })])
    expect(requests).toEqual([{ route: `POST ${path}`, count: 2, answers: { 200: 2 } }])
  })
})

describe('identify', () => {
  it.each([
    [
      { traits: { email: 'a@x.io', first_name: 'Ann', last_name: 'Lee' } },
      { email: 'a@x.io', firstName: 'Ann', lastName: 'Lee' }
    ],
    [{ context: { traits: { email: 'a@x.io', plan: 'pro' } } }, { email: 'a@x.io', metadata: { plan: 'pro' } }],
    [{ userId: 'A@x.io' }, { email: 'a@x.io', metadata: {} }],
    [{ userId: 'a@x.io', traits: { email: 'b@x.io' } }, { email: 'b@x.io' }],
    [
      { userId: 'a@x.io', traits: { email: 'no address', age: 7 } },
      { email: 'a@x.io', metadata: { age: 7 } }
    ]
  ])('reads %j', async (call, contact) => {
    const { send, state } = await startWith()
    expect((await send({ type: 'identify', ...call })).status).toBe(200)
    expect((await state()).contacts).toEqual([expect.objectContaining(contact)])
  })

  it('with nothing but a user id and an address changes nothing of the contact, and finds it from then on', async () => {
    const { send, state, contact, control } = await startWith()
    const id = await contact('a@x.io', { firstName: 'Ann', metadata: { plan: 'pro' } })
    await control('/contacts?email=a@x.io', { method: 'PATCH', body: { status: 'unsubscribed' } })
    const before = (await state()).contacts
    await send({ type: 'identify', userId: 'u1', traits: { email: 'a@x.io' } })
    expect((await state()).contacts).toEqual([{ ...before[0], updatedAt: expect.any(String) }])
    expect((await send({ ...TRACK, userId: 'u1' })).body.data.contactId).toBe(id)
  })

  it('moves a user id to the contact it was last linked with', async () => {
    const { send } = await startWith()
    const link = async (email: string) =>
      (await send({ type: 'identify', userId: 'u1', traits: { email } })).body.data.contactId
    await link('a@x.io')
    const second = await link('b@x.io')
    expect((await send({ ...TRACK, userId: 'u1' })).body.data.contactId).toBe(second)
  })

  it.each([
    [{ userId: 'u1' }, 'traits.email or userId must be an email address'],
    [{ userId: 5, traits: { email: 'a@x.io' } }, 'userId must be a string'],
    [{ traits: [] }, 'traits must be a JSON object'],
    [{ traits: { email: 'a@x.io', firstName: 7 } }, 'firstName must be a string']
  ])('refuses %j', async (call, error) => {
    const { send, state } = await startWith()
    expect(await send({ type: 'identify', ...call })).toMatchObject({ status: 400, body: { error } })
    expect((await state()).totals.contacts).toBe(0)
  })
})

describe('track', () => {
  it('finds a contact whose address is the user id, whoever made it', async () => {
    const { send, contact } = await startWith()
    const id = await contact('a@x.io')
    expect((await send({ ...TRACK, userId: 'A@x.io' })).body.data.contactId).toBe(id)
  })

  it.each([
    ['Purchase Completed', 'normalized', 1],
    ['PURCHASE_COMPLETED', 'normalized', 1],
    ['Purchase Completed', 'as-events', 0],
    ['PURCHASE_COMPLETED', 'as-events', 1]
  ] as const)('matches %s %s: %i', async (event, segmentEventMatch, expected) => {
    const { send } = await startWith({ segmentEventMatch })
    await send(IDENTIFY)
    const { body } = await send({ ...TRACK, event })
    expect(body.data).toMatchObject({ eventName: event, matchingAutomations: expected })
  })

  it.each([
    [{ event: undefined }, 'event is required'],
    [{ event: ' ' }, 'event must not be empty'],
    [{ properties: [] }, 'properties must be a JSON object'],
    [{ type: undefined }, 'type is required']
  ])('refuses %j', async (wrong, error) => {
    const { send } = await startWith()
    await send(IDENTIFY)
    expect(await send({ ...TRACK, ...wrong })).toMatchObject({ status: 400, body: { error } })
  })
})

it('answers other calls, and does nothing with them', async () => {
  const { send, state } = await startWith()
  for (const type of ['page', 'screen', 'group', 'alias']) {
    expect(await send({ type, userId: 'a@x.io' })).toMatchObject({ status: 200, body: { data: { ignored: type } } })
  }
  expect((await state()).totals).toMatchObject({ contacts: 0, events: 0 })
})

it('checks keys and scopes, is limited and meets faults as the rest of the API', async () => {
  const { call, control, keyWith, send } = await startWith({ rateLimit: 1 })
  const path = '/api/segment/track'
  expect((await call(path, { body: IDENTIFY, key: null })).status).toBe(401)
  const key = await keyWith('contacts:read')
  expect((await call(path, { body: IDENTIFY, key })).status).toBe(403)
  await control('/faults', { body: { kind: 'refuse-contact', email: 'morgan@acme.com', times: 1 } })
  expect(await send(IDENTIFY)).toMatchObject({ status: 400, body: { error: 'email is refused' } })
  const limited = await send(IDENTIFY)
  expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '60'])
  await control('/faults', { body: { kind: 'status', status: 503, path } })
  expect((await send(IDENTIFY)).status).toBe(503)
})

describe('switches', () => {
  it('segmentEndpoint: an older server answers with a page, asks for no key and counts nothing', async () => {
    const { send, call, control, api } = await startWith({ segmentEndpoint: 'missing' })
    const answer = await call('/api/segment/track', { body: IDENTIFY, key: null })
    expect(answer).toMatchObject({ status: 404, body: expect.stringContaining('<!DOCTYPE html>') })
    expect((await api('/whoami')).headers.get('x-ratelimit-remaining')).toBe('119')
    await control('/settings', { method: 'PATCH', body: { segmentEndpoint: 'available' } })
    expect((await send(IDENTIFY)).status).toBe(200)
  })

  it.each([
    ['identified', 404],
    ['metadata', 200]
  ] as const)('segmentUsers: %s contacts only', async (segmentUsers, status) => {
    const { send, contact } = await startWith({ segmentUsers })
    await contact('a@x.io', { metadata: { userId: 'user_12345' } })
    expect((await send(TRACK)).status).toBe(status)
  })

  it.each([
    ['ignored', 404],
    ['resolved', 200]
  ] as const)('segmentAnonymous: %s', async (segmentAnonymous, status) => {
    const { send } = await startWith({ segmentAnonymous })
    await send(IDENTIFY)
    expect((await send({ ...TRACK, userId: null })).status).toBe(status)
  })

  it.each([
    ['ignored', 404],
    ['read', 200]
  ] as const)('segmentContext: %s', async (segmentContext, status) => {
    const { send, contact } = await startWith({ segmentContext })
    await contact('a@x.io')
    expect((await send({ ...TRACK, context: { traits: { email: 'a@x.io' } } })).status).toBe(status)
  })

  it.each([
    ['not-found', 404, { error: 'No contact for this userId: identify() comes first' }],
    ['bad-request', 400, { error: 'No contact for this userId: identify() comes first' }],
    ['accepted', 200, { data: { contactId: null, eventName: 'purchase_completed', matchingAutomations: 0 } }]
  ] as const)('segmentUnknown: %s', async (segmentUnknown, status, body) => {
    const { send, state } = await startWith({ segmentUnknown })
    expect(await send(TRACK)).toMatchObject({ status, body })
    expect((await state()).totals.events).toBe(0)
  })

  it('segmentArrays: refused', async () => {
    const { send } = await startWith()
    expect(await send([IDENTIFY])).toMatchObject({ status: 400, body: { error: 'body must be a JSON object' } })
  })

  it('segmentArrays: taken in order, each event for itself', async () => {
    const { send, state } = await startWith({ segmentArrays: 'taken' })
    const { status, body } = await send([TRACK, IDENTIFY, null, TRACK])
    expect(status).toBe(200)
    expect(body.data).toEqual([
      { error: expect.stringContaining('No contact') },
      expect.objectContaining({ created: true }),
      { error: 'body must be a JSON object' },
      expect.objectContaining({ matchingAutomations: 1 })
    ])
    expect((await state()).totals).toMatchObject({ contacts: 1, events: 1 })
  })

  it('segmentRate: free', async () => {
    const { send } = await startWith({ segmentRate: 'free', rateLimit: 1 })
    for (let call = 0; call < 3; call += 1) expect((await send(IDENTIFY)).status).toBe(200)
  })

  it.each([
    ['success', { success: true }],
    ['empty', '']
  ] as const)('segmentAnswer: %s', async (segmentAnswer, body) => {
    const { send, state } = await startWith({ segmentAnswer })
    expect(await send(IDENTIFY)).toMatchObject({ status: 200, body })
    expect(await send(TRACK)).toMatchObject({ status: 200, body })
    expect((await state()).totals).toMatchObject({ contacts: 1, events: 1 })
  })
})

it('forgets the user ids with a reset', async () => {
  const { send, control } = await startWith()
  await send(IDENTIFY)
  expect((await control('/reset', { method: 'POST' })).status).toBe(204)
  expect((await send(TRACK)).status).toBe(404)
})
