import fc from 'fast-check'
import type { JsonObject } from '../../../http/json'
import type { Normalized } from '../normalize'
import { normalize } from '../normalize'

const receivedAt = new Date('2026-01-15T10:00:00.000Z')
function read(...items: unknown[]): Normalized {
  const result: Normalized = { events: [], rejected: [], ignored: 0 }
  for (const item of items) normalize(item, { options: {}, receivedAt }, result)
  return result
}
const event = (item: JsonObject) => {
  const { events, rejected, ignored } = read(item)
  expect({ rejected, ignored }).toEqual({ rejected: [], ignored: 0 })
  return events[0]
}
const reason = (item: unknown) => {
  const { events, rejected } = read(item)
  expect(events).toEqual([])
  return rejected[0].reason
}

const identify = {
  type: 'identify',
  messageId: 'm1',
  userId: 'user_12345',
  traits: { email: 'Morgan@Acme.com ', plan: 'pro' }
}
const track = {
  type: 'track',
  messageId: 'm2',
  userId: 'user_12345',
  event: 'Purchase Completed',
  properties: { amount: 99 }
}

describe('an identify call', () => {
  it('becomes an event with its address in one spelling', () =>
    expect(event(identify)).toEqual({
      messageId: 'm1',
      type: 'identify',
      userId: 'user_12345',
      email: 'morgan@acme.com',
      options: {},
      event: {
        type: 'identify',
        messageId: 'm1',
        userId: 'user_12345',
        timestamp: '2026-01-15T10:00:00.000Z',
        receivedAt: '2026-01-15T10:00:00.000Z',
        context: {},
        traits: { email: 'morgan@acme.com', plan: 'pro' }
      }
    }))

  it.each([
    ["RudderStack's context.traits for traits", undefined, { plan: 'free', age: 7 }],
    [
      'no more than its traits where it has some, since those in the context may be older',
      { plan: 'pro' },
      { plan: 'pro' }
    ]
  ])('has %s', (_, traits, expected) => {
    const context = { traits: { plan: 'free', age: 7 }, ip: '::1' }
    const { event: found } = event({ type: 'Identify', messageId: 'm', context, traits })
    expect(found).toMatchObject({ type: 'identify', context: { ip: '::1' } })
    expect((found as { traits: unknown }).traits).toEqual(expected)
  })

  it.each([
    [
      'traits',
      { traits: { email: 'a@x.io' }, context: { traits: { email: 'b@x.io' } }, email: 'c@x.io', userId: 'd@x.io' }
    ],
    ['context.traits', { context: { traits: { email: 'a@x.io' } }, email: 'c@x.io', userId: 'd@x.io' }],
    ['the root', { traits: { email: '' }, email: 'a@x.io', userId: 'd@x.io' }],
    ['the userId', { traits: {}, userId: 'A@x.io' }]
  ])('has its address from %s', (_, parts) => {
    const found = event({ type: 'identify', messageId: 'm', ...parts })
    expect(found.email).toBe('a@x.io')
    expect(found.event.traits).toMatchObject({ email: 'a@x.io' })
  })

  it('has no address when the first one given is none, which the destination will say', () => {
    const found = event({ type: 'identify', messageId: 'm', traits: { email: 'none yet' }, userId: 'a@x.io' })
    expect(found).toMatchObject({
      email: undefined,
      emailProblem: expect.stringContaining('not a valid email') as string
    })
    expect(found.event.traits).toEqual({ email: 'none yet' })
  })

  it('may get its address from another event when its userId is none', () =>
    expect(event({ ...identify, traits: {} })).not.toHaveProperty('emailProblem'))
})

describe('a track call', () => {
  it('becomes an event without an address when it has none', () => {
    const found = event(track)
    expect(found).toMatchObject({ type: 'track', messageId: 'm2', userId: 'user_12345' })
    expect(found.email).toBeUndefined()
    expect(found.event).toMatchObject({ event: 'Purchase Completed', properties: { amount: 99 }, context: {} })
  })

  it.each([
    ['context.traits', { context: { traits: { email: 'a@x.io' } }, traits: { email: 'b@x.io' } }],
    ['traits', { traits: { email: 'a@x.io' }, properties: { email: 'b@x.io' } }],
    ['properties', { properties: { email: 'a@x.io' }, email: 'b@x.io' }],
    ["the root, as Segment's Event Tester", { email: 'a@x.io', userId: 'b@x.io' }],
    ['the userId', { userId: 'a@x.io' }]
  ])('has its address from %s', (_, parts) => {
    const found = event({ type: 'track', messageId: 'm', event: 'E', ...parts })
    expect(found.email).toBe('a@x.io')
    expect(found.event.context).toMatchObject({ traits: { email: 'a@x.io' } })
  })

  it('keeps what an identify leaves in context.traits', () =>
    expect(event({ ...track, email: 'a@x.io', context: { traits: { plan: 'pro' } } }).event.context).toEqual({
      traits: { plan: 'pro', email: 'a@x.io' }
    }))
})

describe('spelling', () => {
  it('reads snake case, dashes and any capitals at the root', () =>
    expect(
      event({
        TYPE: 'TRACK',
        message_id: 'm',
        User_Id: 'u',
        'anonymous-id': 'a',
        Event: 'E',
        Properties: { a: 1 },
        original_timestamp: '2020'
      })
    ).toMatchObject({
      messageId: 'm',
      type: 'track',
      userId: 'u',
      anonymousId: 'a',
      event: { event: 'E', properties: { a: 1 }, originalTimestamp: '2020', timestamp: '2020-01-01T00:00:00.000Z' }
    }))

  it('prefers the right spelling, then what is not null', () => {
    expect(event({ ...track, user_id: 'wrong' }).userId).toBe('user_12345')
    expect(event({ user_id: 'wrong', ...track }).userId).toBe('user_12345')
    expect(event({ ...track, userId: null, user_id: 'right' }).userId).toBe('right')
  })

  it("keeps RudderStack's own fields", () =>
    expect(event({ ...track, rudderId: 'r', request_ip: '1.1.1.1', channel: 'web' }).event).toMatchObject({
      rudderId: 'r',
      request_ip: '1.1.1.1',
      channel: 'web'
    }))

  it('takes the empty array of PHP, null and the JSON text of a warehouse for objects', () => {
    expect(event({ ...identify, traits: [], context: [], integrations: [] }).event).toMatchObject({
      traits: {},
      context: {}
    })
    expect(event({ ...track, properties: null, context: null }).event).toMatchObject({ properties: {}, context: {} })
    expect(event({ ...identify, traits: '{"email":"a@x.io"}' }).email).toBe('a@x.io')
  })

  it('never keeps a write key', () => {
    const secret = 'esx_live_secret'
    expect(JSON.stringify(read({ ...track, writeKey: secret }, { type: 'delete', write_key: secret }))).not.toContain(
      secret
    )
  })
})

describe('ids', () => {
  it('are texts, whatever they were', () =>
    expect(event({ ...track, messageId: 7, userId: 12345, anonymousId: true })).toMatchObject({
      messageId: '7',
      userId: '12345'
    }))

  it('are none when empty', () => expect(event({ ...track, userId: '  ', anonymousId: null }).userId).toBeUndefined())

  it('lose what no store can keep', () =>
    expect(event({ ...track, messageId: 'a\0b\ud800c', userId: 'u\0' })).toMatchObject({
      messageId: 'abc',
      userId: 'u'
    }))

  it('are shortened, and stay distinct', () => {
    const long = (id: string) => event({ ...track, messageId: id.repeat(200), userId: id.repeat(400) })
    const [x, y] = [long('x'), long('y')]
    expect(x.messageId).not.toBe(y.messageId)
    expect(x.userId).not.toBe(y.userId)
    expect(x.messageId.length).toBeLessThanOrEqual(100)
    expect(x.userId!.length).toBeLessThanOrEqual(255)
    expect(x.event.userId).toBe('x'.repeat(400))
  })

  it('are made from the event when it has no messageId, the same at every attempt', () => {
    const anonymous = { ...track, messageId: undefined, timestamp: '2026-01-15T09:00:00Z' }
    const id = event({ ...anonymous, sentAt: '1' }).messageId
    expect(event({ ...anonymous, sentAt: '2', receivedAt: '3' }).messageId).toBe(id)
    expect(event({ ...anonymous, properties: { amount: 100 } }).messageId).not.toBe(id)
  })

  it('never make one event of two that happen to say the same', () => {
    const timeless = { type: 'track', event: 'Ping', userId: 'u' }
    const { events } = read(timeless, timeless)
    expect(events[0].messageId).not.toBe(events[1].messageId)
  })
})

describe('the time of an event', () => {
  it.each([
    ['2026-01-15T09:00:00.000Z', { timestamp: '2026-01-15T11:00:00+02:00' }],
    ['2026-01-15T09:00:00.000Z', { timestamp: '2026-01-15 09:00' }],
    ['2026-01-15T09:00:00.000Z', { timestamp: 1768467600 }],
    ['2026-01-15T09:00:00.000Z', { timestamp: '1768467600000' }],
    ['2026-01-15T09:00:00.000Z', { timestamp: 'soon', originalTimestamp: '2026-01-15T09:00:00Z' }],
    ['2026-01-15T09:00:00.000Z', { timestamp: { a: 1 }, sentAt: '2026-01-15T09:00:00Z' }],
    ['2026-01-15T10:00:00.000Z', { timestamp: '3026-01-15T09:00:00Z' }],
    ['2026-01-15T10:00:00.000Z', {}]
  ])('is %s for %j', (time, fields) => expect(event({ ...track, ...fields }).event.timestamp).toBe(time))
})

describe('what cannot be delivered', () => {
  it('ignores the types EmailSendX has no use for', () =>
    expect(
      read(
        ...['page', 'SCREEN', 'group', 'alias', 'record', 'audienceList', 'reset', '__proto__'].map((type) => ({
          type
        }))
      )
    ).toEqual({ events: [], rejected: [], ignored: 8 }))

  it.each([
    [null, 'nothing instead of an event'],
    [[], 'an array instead of an event'],
    ['track', 'a text instead of an event'],
    [5, 'a number instead of an event'],
    [{}, 'an event without a type'],
    [{ type: 5.5, event: {} }, undefined],
    [{ type: { a: 1 } }, 'an event without a type'],
    [{ type: 'track' }, 'a track call without the name of its event'],
    [{ type: 'track', event: ' ' }, 'a track call without the name of its event'],
    [{ ...track, properties: ['a'] }, 'properties is an array instead of an object'],
    [{ ...identify, traits: 'x' }, 'traits is a text instead of an object'],
    [{ type: 'identify', context: { traits: [1] } }, 'context.traits is an array instead of an object'],
    [{ ...track, properties: '[object Object]' }, 'form encoding has lost it, let it send JSON'],
    [{ type: 'delete', userId: 'u' }, 'delete the contact there by hand']
  ])('%j: %s', (item, words) =>
    words === undefined ? expect(read(item).ignored).toBe(1) : expect(reason(item)).toContain(words)
  )

  it('is named by its messageId, else by what it says', () => {
    expect(read({ messageId: 'm' }).rejected[0].messageId).toBe('m')
    expect(read(null).rejected[0].messageId).toBe(read(null).rejected[0].messageId)
    expect(read(5).rejected[0].messageId).not.toBe(read(6).rejected[0].messageId)
  })

  it('is nested too deep to be printed, and its neighbours go on', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`) as JsonObject
    const { events, rejected } = read({ ...track, properties: deep }, track)
    expect(events).toHaveLength(1)
    expect(rejected[0]).toMatchObject({ messageId: 'm2', reason: expect.stringContaining('nested deeper') as string })
    expect(JSON.stringify(rejected)).toContain('[nested too deep]')
  })

  it('does not reach a prototype', () => {
    const poisoned = JSON.parse(
      '{"__proto__":{"type":"track"},"type":"identify","traits":{"__proto__":{"admin":true},"a":1}}'
    ) as JsonObject
    expect(event(poisoned).event.traits).toEqual({ a: 1 })
    expect(({} as JsonObject).admin).toBeUndefined()
  })
})

describe('whatever comes', () => {
  const named = fc.constantFrom(
    'type',
    'Type',
    'messageId',
    'message_id',
    'userId',
    'event',
    'properties',
    'traits',
    'context',
    'email',
    'timestamp',
    'sentAt'
  )
  const value = fc.oneof(
    fc.constantFrom(
      'track',
      'identify',
      'page',
      'delete',
      'a@b.io',
      '[object Object]',
      '{"email":"a@b.io"}',
      '__proto__',
      '\0'
    ),
    fc.jsonValue()
  )
  const item = fc.oneof(fc.jsonValue(), fc.dictionary(fc.oneof(named, fc.string()), value))

  it('puts every item in exactly one place, as JSON, with ids a store can keep', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 5 }), (items) => {
        const { events, rejected, ignored } = read(...(JSON.parse(JSON.stringify(items)) as unknown[]))
        expect(events.length + rejected.length + ignored).toBe(items.length)
        for (const { messageId, userId = 'u', anonymousId = 'a', email = 'e@x.io', type, event } of events) {
          for (const id of [messageId, userId, anonymousId, email]) expect(id).toMatch(/^[^\0\p{Cs}]{1,255}$/su)
          expect(messageId.length).toBeLessThanOrEqual(100)
          expect(event).toMatchObject({ type, messageId })
          expect(new Date(event.timestamp as string).getTime()).toBeLessThanOrEqual(receivedAt.getTime())
          if (type === 'track') expect(event.event).toMatch(/\S/)
        }
        for (const { messageId, reason } of rejected) {
          expect(messageId).toMatch(/^[^\0\p{Cs}]{1,100}$/su)
          expect(reason).not.toBe('')
        }
      })
    )
  })

  it('says the same when it is read a second time', () => {
    fc.assert(
      fc.property(item, (anything) => {
        const { events } = read(JSON.parse(JSON.stringify(anything)))
        if (events.length === 0) return
        const again = read(JSON.parse(JSON.stringify(events[0].event)))
        // An address taken from the userId stands in the event from then on, as if the sender had said it.
        const said = events.map((event) => ({ ...event, emailIsUserId: undefined }))
        expect(JSON.stringify(again.events)).toBe(JSON.stringify(said))
      })
    )
  })
})
