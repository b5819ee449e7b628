import nock from 'nock'
import { deliver, deliverBatch, FakeApi, identify, isolate, MODES, ORIGIN } from '../../__tests__/__helpers__/deliver'
import { MAX_LOOK_UPS_PER_BATCH } from '../../constants'
import { membershipOf } from '../../functions'

isolate()

const EMAIL = 'morgan@acme.com'
const SETTINGS = { apiKey: 'key', defaultListId: 'newsletter' }
const personas = { computation_class: 'audience', computation_key: 'vip_customers', namespace: 'spa_1' }

const membership = (isMember: unknown, email = EMAIL, computation: unknown = personas) =>
  identify({ email, vip_customers: isMember }, { context: { personas: computation } })

describe.each(MODES)('an identify() of an audience, %s', (mode) => {
  it.each(['audience', 'journey_step'])(
    'that says somebody left (%s) creates nobody and joins no list',
    async (kind) => {
      const api = new FakeApi()
      const left = membership(false, EMAIL, { ...personas, computation_class: kind })
      const event = { ...left, userId: 'user_12345' }
      expect((await deliver(mode, 'identifyContact', event, { settings: SETTINGS })).status).toBe(200)
      expect(api.requests).toEqual(['GET /contacts'])
    }
  )

  it.each([
    ['the default one', {}],
    ['the mapped one', { listId: 'mapped' }]
  ])('that says somebody left updates a contact without adding it to a list, not even %s', async (_name, mapping) => {
    const api = new FakeApi()
    api.addContact(EMAIL)
    await deliver(mode, 'identifyContact', membership(false), { settings: SETTINGS, mapping })
    expect(api.bulkCalls).toEqual([{ contacts: [{ email: EMAIL, metadata: { vip_customers: false } }] }])
  })

  it('that says somebody joined is one as any other', async () => {
    const api = new FakeApi()
    await deliver(mode, 'identifyContact', membership(true), { settings: SETTINGS })
    expect(api.requests).toEqual(['POST /contacts/bulk'])
    expect(api.bulkCalls[0].listId).toBe('newsletter')
  })

  it.each([
    ['the mapping says so', membership(false), { leavingAudience: 'as_any' }],
    ['it is about no audience', identify({ email: EMAIL, vip_customers: false }), {}],
    ['it is a computed trait', membership(false, EMAIL, { ...personas, computation_class: 'computed_trait' }), {}],
    ['the key is not there', membership(undefined), {}],
    ['the key is no boolean', membership('false'), {}],
    ['the computation has no key', membership(false, EMAIL, { computation_class: 'audience' }), {}]
  ])('is one as any other when %s', async (_name, event, mapping) => {
    const api = new FakeApi()
    await deliver(mode, 'identifyContact', event, { settings: SETTINGS, mapping })
    expect(api.requests).toEqual(['POST /contacts/bulk'])
    expect(api.bulkCalls[0].listId).toBe('newsletter')
  })

  it('that says somebody left creates nobody also when the mapping has no traits', async () => {
    const api = new FakeApi()
    await deliver(mode, 'identifyContact', membership(false), { without: ['traits'] })
    expect(api.requests).toEqual(['GET /contacts'])
  })

  it('is tried again when nobody can tell whether there is a contact', async () => {
    new FakeApi()
    nock.cleanAll()
    nock(ORIGIN).get('/api/v1/contacts').query(true).reply(429, { error: 'Slow down' })
    expect(await deliver(mode, 'identifyContact', membership(false))).toMatchObject({ status: 429 })
  })
})

it('programs learn from an event what the core tells: in, out, or no audience at all', () => {
  expect(membershipOf(membership(true))).toBe(true)
  expect(membershipOf(membership(false))).toBe(false)
  for (const none of [null, [], 'x', {}]) expect(membershipOf(membership(false, EMAIL, none))).toBe(undefined)
  expect(membershipOf({ context: null, traits: null })).toBe(undefined)
})

describe('many who leave an audience', () => {
  const people = (count: number) => Array.from({ length: count }, (_, i) => membership(false, `p${i}@x.co`))

  it('cost a look-up each, up to a limit; the others come again', async () => {
    const api = new FakeApi()
    const results = await deliverBatch('identifyContact', people(MAX_LOOK_UPS_PER_BATCH + 2))
    expect(api.requests).toEqual(Array(MAX_LOOK_UPS_PER_BATCH).fill('GET /contacts'))
    expect(results.map(({ status }) => status).slice(-3)).toEqual([200, 429, 429])
    expect(results[MAX_LOOK_UPS_PER_BATCH].message).toContain('Too many in this batch leave an audience')
  })

  it('cost none when the process has seen the contact', async () => {
    const api = new FakeApi()
    api.addContact('p0@x.co')
    await deliverBatch('identifyContact', people(1))
    await deliverBatch('identifyContact', people(1))
    expect(api.requests).toEqual(['GET /contacts', 'POST /contacts/bulk', 'POST /contacts/bulk'])
  })

  it('and somebody who also joins something is a contact in any case', async () => {
    const api = new FakeApi()
    const results = await deliverBatch('identifyContact', [membership(false), identify({ email: EMAIL, plan: 'pro' })])
    expect(results.map(({ status }) => status)).toEqual([200, 200])
    expect(api.requests).not.toContain('GET /contacts')
  })
})
