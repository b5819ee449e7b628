import { History } from '../history'
import { makePlan } from '../plan'
import type { PlanOptions } from '../plan'
import { Files } from '../../event-files/__tests__/__helpers__/files'

const files = new Files()
afterAll(() => files.remove())

const at = (day: number, hour = 0) => new Date(Date.UTC(2026, 0, day, hour)).toISOString()
const identify = (userId: string | undefined, traits: object, timestamp = at(1), more: object = {}) => ({
  type: 'identify',
  ...(userId && { userId }),
  traits,
  timestamp,
  ...more
})
const track = (userId: string, event: string, timestamp: string, more: object = {}) => ({
  type: 'track',
  userId,
  event,
  timestamp,
  ...more
})

async function planOf(events: unknown[], options: Partial<PlanOptions> = {}) {
  const history = History.createTemporary()
  const file = files.write('events', events.map((event) => JSON.stringify(event)).join('\n'))
  const plan = await makePlan(history, { files: [file], columns: {}, ...options })
  const people = [...history.rows<{ contact: string }>('SELECT contact FROM people ORDER BY id')]
  const firing = [...history.rows<{ email: string; event: string }>('SELECT email, event FROM firing ORDER BY id')]
  history.close()
  return {
    plan,
    contacts: people.map(({ contact }) => JSON.parse(contact) as object),
    fired: firing.map(({ email, event }) => [email, (JSON.parse(event) as { event: string }).event])
  }
}

describe('people', () => {
  it('are one for each address, whatever the order in the file: later values over earlier ones, nothing wiped by blanks', async () => {
    const { plan, contacts } = await planOf([
      identify('u1', { email: 'Mo@acme.com', plan: 'pro', city: '' }, at(3)),
      identify('u1', { email: 'mo@acme.com', plan: 'free', city: 'Rome', address: { zip: '1' } }, at(1)),
      identify('u1', { email: 'mo@acme.com', firstName: 'Mo', address: { street: 'x' } }, at(2)),
      identify('u2', { email: 'b@acme.com' })
    ])
    expect(contacts).toEqual([
      { email: 'b@acme.com' },
      {
        email: 'mo@acme.com',
        firstName: 'Mo',
        metadata: { plan: 'pro', city: 'Rome', address_zip: '1', address_street: 'x' }
      }
    ])
    expect(plan).toMatchObject({ people: 2, read: { entries: 4, types: { identify: 4 } }, calls: { total: 2 } })
  })

  it('are recognised by the ids of other identifies, of the last before or the next after, also by way of others', async () => {
    const { contacts, plan } = await planOf([
      identify('u1', { a: 1 }, at(1)),
      identify('u1', { email: 'old@acme.com' }, at(2)),
      identify('u1', { email: 'new@acme.com' }, at(4)),
      identify('u1', { b: 1 }, at(3)),
      identify('u1', { c: 1 }, at(5), { anonymousId: 'a1' }),
      identify(undefined, { d: 1 }, at(6), { anonymousId: 'a1' }),
      identify('stranger', { e: 1 })
    ])
    expect(contacts).toEqual([
      { email: 'new@acme.com', metadata: { c: 1, d: 1 } },
      { email: 'old@acme.com', metadata: { a: 1, b: 1 } }
    ])
    expect(plan.undeliverable).toEqual({
      count: 1,
      reasons: [
        { reason: expect.stringContaining('no address'), count: 1, places: [expect.stringMatching(/events:7$/)] }
      ]
    })
  })
})

it('makes no contacts of those of whom nothing is known but that they left an audience', async () => {
  const personas = { computation_class: 'audience', computation_key: 'vip' }
  const { contacts } = await planOf([
    identify('u1', { email: 'gone@acme.com', vip: false }, at(1), { context: { personas } }),
    identify('u2', { email: 'there@acme.com', plan: 'pro' }, at(1)),
    identify('u2', { email: 'there@acme.com', vip: false }, at(2), { context: { personas } })
  ])
  expect(contacts).toEqual([{ email: 'there@acme.com', metadata: { plan: 'pro', vip: false } }])
})

it('takes the batches of an SDK apart, with what each says for all of its events', async () => {
  const sent = { type: 'identify', userId: 'u1', timestamp: at(1) }
  const { contacts, plan } = await planOf([
    { batch: [sent, identify('u2', { email: 'b@acme.com' }), 'x'], context: { traits: { email: 'a@acme.com' } } },
    identify('u3', { email: 'c@acme.com' })
  ])
  expect(contacts).toEqual(['a', 'b', 'c'].map((name) => ({ email: `${name}@acme.com` })))
  expect(plan).toMatchObject({ people: 3, read: { entries: 2, types: { identify: 3 } } })
})

describe('events', () => {
  const history = [
    track('u1', 'Signed Up', at(1)),
    track('u1', 'Order  Completed', at(12)),
    track('u1', 'order_completed', at(11), { messageId: 'm1' }),
    track('u1', 'order_completed', at(11), { messageId: 'm1' }),
    track('nobody', 'order_completed', at(11)),
    track('u9', 'Refunded', at(10), { context: { traits: { email: 'x@acme.com' } } }),
    identify('u1', { email: 'mo@acme.com' }, at(13)),
    { type: 'page', timestamp: at(12) },
    { type: 'Group', timestamp: at(12) }
  ]

  it('fire nothing', async () => {
    const { plan, fired } = await planOf(history)
    expect(fired).toEqual([])
    expect(plan).toMatchObject({
      read: { types: { track: 6, identify: 1, page: 1, group: 1 } },
      undeliverable: { count: 0 },
      firing: { count: 0, names: [] },
      calls: { key: 1, contacts: 1, lookUps: 0, events: 0, total: 2 }
    })
  })

  it('are fired from the time given on, in order, each once', async () => {
    const { plan, fired } = await planOf(history, { fireSince: Date.parse(at(10)) })
    expect(fired).toEqual([
      ['x@acme.com', 'Refunded'],
      ['mo@acme.com', 'order_completed'],
      ['mo@acme.com', 'Order  Completed']
    ])
    expect(plan.firing).toEqual({
      since: at(10),
      count: 3,
      people: 2,
      duplicates: 1,
      names: [
        { name: 'order_completed', count: 2 },
        { name: 'refunded', count: 1 }
      ]
    })
    expect(plan.calls).toEqual({ key: 1, contacts: 1, pages: 0, lookUps: 2, events: 3, total: 7 })
    expect(plan.undeliverable).toMatchObject({ count: 1, reasons: [{ places: [expect.stringMatching(/events:5$/)] }] })
  })
})

it('tells what cannot be delivered, why and where, without repeating it', async () => {
  const { plan } = await planOf([
    'morgan',
    { userId: 'u1' },
    identify('u1', { email: 'morgan(at)acme' }),
    { type: 'delete', userId: 'u1' },
    identify('u2', { email: 'b@acme.com', ['x'.repeat(300)]: 1 }),
    identify('u2', { email: 'b@acme.com', ['x'.repeat(300)]: 2, fine: 1 }),
    identify('u3', { email: 'c@acme.com', one: 'x'.repeat(600_000) }),
    identify('u3', { email: 'c@acme.com', two: 'x'.repeat(600_000) })
  ])
  expect(plan).toMatchObject({ people: 0, undeliverable: { count: 7 } })
  const told = plan.undeliverable.reasons.map(({ reason, count, places }) => [count, places.length, reason])
  expect(told[0]).toEqual([2, 2, expect.stringContaining('has a name of 300 characters')])
  expect(JSON.stringify(plan)).not.toMatch(/morgan|acme/)
})

it('counts full bulk calls, by contacts and by bytes', async () => {
  const many = await planOf(Array.from({ length: 1001 }, (_, n) => identify(`u${n}`, { email: `u${n}@acme.com` })))
  expect(many.plan.calls).toMatchObject({ contacts: 3, total: 4 })
  const note = 'x'.repeat(300_000)
  const large = await planOf(Array.from({ length: 7 }, (_, n) => identify(`u${n}`, { email: `u${n}@acme.com`, note })))
  expect(large.plan.calls).toMatchObject({ contacts: 3, total: 4 })
})

describe('the ids of contacts', () => {
  const people = (count: number) => Array.from({ length: count }, (_, n) => identify(`p${n}@acme.com`))
  const identify = (email: string) => ({ type: 'identify', traits: { email }, timestamp: at(1) })
  const track = (email: string) => ({ type: 'track', event: 'x', properties: { email }, timestamp: at(2) })
  const fired = ['p1@acme.com', 'p2@acme.com', 'p2@acme.com', 'p3@acme.com', 'other@acme.com'].map(track)

  it.each<[number, object, { pages: number; lookUps: number }]>([
    [200, {}, { pages: 2, lookUps: 1 }],
    [201, {}, { pages: 0, lookUps: 4 }],
    [200, { store: 'bridge.db' }, { pages: 0, lookUps: 4 }]
  ])('of %d contacts, with %j, take %j', async (count, options, calls) => {
    const { plan } = await planOf([...people(count), ...fired], { fireSince: Date.parse(at(0)), ...options })
    expect(plan.calls).toMatchObject(calls)
  })
})
