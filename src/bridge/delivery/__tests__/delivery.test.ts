import { forgetContacts } from '../../../../definitions/emailsendx/functions'
import { QueueUnavailable } from '../../queue'
import { identify, track } from '../../queue/__tests__/__helpers__/events'
import { BULK, FIRE, HOUR, MINUTE, Rig, SEARCH, SECOND, tick } from './__helpers__/rig'

const ann = { userId: 'u1', email: 'ann@example.com' }
const bob = { userId: 'u2', email: 'bob@example.com' }
const VIP = { computation_class: 'audience', computation_key: 'vip' }
const EVENTS = '/api/v1/contacts/*/events'
const CONTACTS = '/api/v1/contacts'
const ALL = '/api/v1/**'

jest.setTimeout(30_000)

let rig: Rig
beforeAll(async () => {
  rig = await Rig.start()
})
beforeEach(async () => {
  forgetContacts()
  await rig.renew()
})
afterAll(() => rig.end())

describe('identities and order', () => {
  it("delivers the docs' example: an identify with an email, later a track without one", async () => {
    await rig.take(identify({ userId: 'user_12345', email: 'morgan@acme.com' }, { firstName: 'Morgan', plan: 'pro' }))
    await rig.quiet()
    await rig.take(track({ userId: 'user_12345' }, 'Purchase Completed', { amount: 99 }))
    await rig.quiet()
    const { contacts, events } = await rig.state()
    expect(contacts).toMatchObject([{ email: 'morgan@acme.com', firstName: 'Morgan', metadata: { plan: 'pro' } }])
    expect(events).toMatchObject([{ email: 'morgan@acme.com', name: 'purchase_completed', data: { amount: 99 } }])
    expect((await rig.partition()).events).toBe(0)
  })

  it('creates nobody who leaves an audience, and tells a contact of it', async () => {
    const ofAudience = (known: typeof ann, isMember: boolean, personas: unknown = VIP) => {
      const taken = identify(known, { vip: isMember })
      return { ...taken, event: { ...taken.event, context: { personas } } }
    }
    await rig.take(ofAudience(ann, true), ofAudience(bob, false))
    await rig.quiet()
    expect((await rig.state()).contacts).toMatchObject([{ email: ann.email, metadata: { vip: true } }])
    await rig.take(ofAudience(ann, false), ofAudience(bob, false, null))
    await rig.quiet()
    const { contacts } = await rig.state()
    expect(contacts.map(({ email, metadata }) => [email, metadata]).sort()).toEqual([
      [ann.email, { vip: false }],
      // About no audience that anybody named.
      [bob.email, { vip: false }]
    ])
  })

  it('resolves a track that overtook its identify, with everything in reverse order', async () => {
    await rig.take(track({ userId: 'u1' }, 'third'))
    await rig.quiet()
    await rig.take(track({ anonymousId: 'a1' }, 'second'))
    await rig.quiet()
    expect(await rig.partition()).toMatchObject({ events: 2, deferred: 2 })
    await rig.take(identify({ ...ann, anonymousId: 'a1' }))
    await rig.quiet()
    expect((await rig.fired()).sort()).toEqual(['second', 'third'])
    expect(await rig.calls(BULK)).toBe(1)
    expect(await rig.calls(SEARCH)).toBe(1)
    expect(await rig.partition()).toMatchObject({ events: 0, deferred: 0 })
  })

  it('keeps the order of one user while others pass, also when the user goes by several names', async () => {
    await rig.take(
      track({ anonymousId: 'a1' }, 'one'),
      track({ anonymousId: 'a1', userId: 'u1' }, 'two'),
      track({ userId: 'u1' }, 'three'),
      identify(bob),
      track(bob, 'of_bob')
    )
    await rig.quiet()
    expect(await rig.fired()).toEqual(['of_bob'])
    await rig.take(
      track({ userId: 'u1', anonymousId: 'a9' }, 'four'),
      identify({ anonymousId: 'a1', email: ann.email })
    )
    await rig.quiet()
    expect(await rig.fired()).toEqual(['of_bob', 'one', 'two'])
    await rig.take(identify(ann), track(ann, 'five'))
    await rig.quiet()
    expect(await rig.fired()).toEqual(['of_bob', 'one', 'two', 'three', 'four', 'five'])
  })

  it('takes an anonymousId for the user it was seen with', async () => {
    await rig.take(
      identify(ann),
      track({ anonymousId: 'a1' }, 'before_login'),
      track({ userId: 'u1', anonymousId: 'a1' }, 'after_login')
    )
    await rig.quiet()
    await rig.take(track({ anonymousId: 'a1' }, 'later'))
    await rig.quiet()
    await rig.pass(HOUR)
    expect(await rig.fired()).toEqual(['before_login', 'after_login', 'later'])
  })

  it('follows a user to a new address, in the order of arrival', async () => {
    await rig.take(
      identify(ann),
      track({ userId: 'u1' }, 'old'),
      identify({ userId: 'u1', email: 'ann@new.example' }),
      track({ userId: 'u1' }, 'new')
    )
    await rig.quiet()
    expect((await rig.state()).events.map(({ email, name }) => `${name} ${email}`)).toEqual([
      'new ann@new.example',
      'old ann@example.com'
    ])
  })

  it('does not learn the address of a user from a track, which may name a friend', async () => {
    await rig.take(identify(ann), identify({ email: 'friend@example.com' }))
    await rig.quiet()
    await rig.take(track({ userId: 'u1', email: 'friend@example.com' }, 'invited'), track({ userId: 'u1' }, 'own'))
    await rig.quiet()
    expect((await rig.state()).events.map(({ email }) => email)).toEqual(['ann@example.com', 'friend@example.com'])
  })

  it('sends identifies that waited for an address before the one that brings it', async () => {
    await rig.take(identify({ userId: 'u1' }, { plan: 'free', seats: 1 }))
    await rig.quiet()
    expect(await rig.partition()).toMatchObject({ deferred: 1 })
    await rig.take(identify(ann, { plan: 'pro' }))
    await rig.quiet()
    expect((await rig.state()).contacts).toMatchObject([{ metadata: { plan: 'pro', seats: 1 } }])
    expect(await rig.calls(BULK)).toBe(1)
  })

  it('does not let an identify pass an earlier event of its user', async () => {
    await rig.take(identify(ann, { plan: 'free' }))
    await rig.quiet()
    await rig.fault({ kind: 'status', status: 503, path: EVENTS, times: 2 })
    await rig.take(track(ann, 'trial_ended'), identify(ann, { plan: 'pro' }))
    await rig.quiet()
    expect((await rig.state()).contacts[0].metadata).toEqual({ plan: 'free' })
    await rig.pass(10 * SECOND, SECOND)
    expect(await rig.fired()).toEqual(['trial_ended'])
    expect((await rig.state()).contacts[0].metadata).toEqual({ plan: 'pro' })
  })

  it('send an event that names only an old address for a user to the one an identify told since', async () => {
    const old = { userId: 'old@example.com', email: 'old@example.com', emailIsUserId: true as const }
    await rig.take(identify({ userId: 'old@example.com', email: 'new@example.com' }))
    await rig.quiet()
    await rig.take(track(old, 'later'), identify(old, { plan: 'pro' }))
    await rig.quiet()
    expect((await rig.state()).events).toMatchObject([{ email: 'new@example.com', name: 'later' }])
    expect((await rig.state()).contacts.map(({ email }) => email)).toEqual(['new@example.com'])

    await rig.take(track({ ...old, emailIsUserId: undefined }, 'said'))
    await rig.pass(HOUR, HOUR / 4)
    expect(await rig.dead()).toEqual([expect.stringMatching(/^unknown_contact/)])
  })

  it('keeps partitions apart: what one key taught, no other knows', async () => {
    const { key } = await rig.control<{ key: string }>('POST', 'keys', { name: 'other' })
    await rig.take(identify(ann))
    await rig.takeFor(key, track({ userId: 'u1' }))
    await rig.quiet()
    expect(await rig.fired()).toEqual([])
  })
})

describe('options', () => {
  it('go with the events they came with', async () => {
    const listId = 'clx_list_customers_id'
    await rig.take(
      identify({ ...ann, options: { listId } }),
      identify(bob),
      identify({ email: 'c@example.com', options: { listId } })
    )
    await rig.quiet()
    const { members } = await rig.state()
    expect(members.map(({ email }) => email).sort()).toEqual(['ann@example.com', 'c@example.com'])
    expect(await rig.calls(BULK)).toBe(2)

    await rig.take(track({ ...ann, options: { eventNameForm: 'as_sent' } }, 'Signed Up'), track(ann, 'Signed Up'))
    await rig.quiet()
    expect(await rig.fired()).toEqual(['Signed Up', 'signed_up'])
  })

  it('decide about unknown contacts', async () => {
    await rig.take(
      track({ email: 'a@example.com', options: { unknownContact: 'create' } }, 'created'),
      track({ email: 'b@example.com', options: { unknownContact: 'skip' } }, 'skipped')
    )
    await rig.quiet()
    expect(await rig.fired()).toEqual(['created'])
    expect(await rig.dead()).toEqual([
      expect.stringMatching(/^unknown_contact: EmailSendX has no contact with this email address\./)
    ])
  })

  it('keep old events from starting automations', async () => {
    const old = track({ ...ann, options: { maxAgeHours: 24 } })
    old.event.timestamp = '2020-01-01T00:00:00Z'
    await rig.take(identify(ann), old)
    await rig.quiet()
    expect(await rig.dead()).toEqual([expect.stringMatching(/^refused: The event is \d+ hours old/)])
  })
})

describe('waiting', () => {
  it('ends after an hour with a dead letter for an event whose email nobody tells', async () => {
    await rig.take(track({ userId: 'u1' }, 'one'), track({ userId: 'u1' }, 'two'), identify({ anonymousId: 'a9' }))
    await rig.pass(HOUR - SECOND, 10 * MINUTE)
    expect(await rig.dead()).toEqual([])
    await rig.pass(SECOND)
    expect(await rig.dead()).toEqual(
      Array(3).fill(
        'unknown_email: No identify() told the email of this userId or anonymousId in time. Send one with an email, then retry the event.'
      )
    )
    expect(await rig.partition()).toMatchObject({ events: 0, deferred: 0, deadLetters: 3 })
    expect((await rig.state()).totals.requests).toBe(0)
  })

  it('goes on after a retry of the dead letter', async () => {
    await rig.take(track({ userId: 'u1' }, 'one'))
    await rig.pass(HOUR)
    await rig.take(identify(ann))
    await rig.quiet()
    expect(await rig.queue.deadLetters.retry({})).toEqual({ retried: 1, kept: 0 })
    await rig.quiet()
    expect(await rig.fired()).toEqual(['one'])
  })

  it('ends at once for an event that is nobody’s', async () => {
    await rig.take(track({}, 'one'))
    await rig.quiet()
    expect(await rig.dead()).toEqual([
      'unknown_email: The event has no email, userId or anonymousId, so nobody can tell whose it is.'
    ])
  })

  it('for a contact holds up only its own events, and few calls are made for it', async () => {
    await rig.take(
      ...Array.from({ length: 20 }, (_, index) => track(ann, `event_${index}`)),
      identify(bob),
      track(bob, 'bob')
    )
    await rig.quiet()
    expect(await rig.fired()).toEqual(['bob'])
    await rig.pass(HOUR - MINUTE, 5 * MINUTE)
    expect(await rig.calls(SEARCH)).toBeLessThanOrEqual(4)
    await rig.take(identify(ann))
    await rig.quiet()
    expect(await rig.fired()).toEqual(['bob', ...Array.from({ length: 20 }, (_, index) => `event_${index}`)])
  })

  it('for a contact that others create ends with the next look', async () => {
    await rig.take(track(ann, 'one'), track(ann, 'two'))
    await rig.quiet()
    await fetch(`${rig.sandbox.url}/api/v1/contacts`, {
      method: 'POST',
      headers: { authorization: `Bearer ${rig.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ email: ann.email })
    })
    await rig.pass(15 * MINUTE)
    expect(await rig.fired()).toEqual(['one', 'two'])
  })

  it('for a contact ends after an hour, for each event its own, without a look-up for each', async () => {
    for (let minute = 0; minute < 30; minute++) {
      await rig.take(track(ann, `event_${minute}`))
      await rig.pass(MINUTE)
    }
    await rig.pass(31 * MINUTE, MINUTE)
    expect((await rig.dead()).length).toBeGreaterThanOrEqual(1)
    expect((await rig.partition()).events).toBeGreaterThanOrEqual(25)
    await rig.pass(35 * MINUTE, MINUTE)
    expect(await rig.dead()).toEqual(
      Array(30).fill(
        'unknown_contact: EmailSendX has no contact with this email address, and none was created in time.'
      )
    )
    expect(await rig.calls(SEARCH)).toBeLessThanOrEqual(70)
  })

  it('is not over while what arrived in its time has not been looked at', async () => {
    await rig.stopDelivery()
    await rig.take(track({ userId: 'u1' }, 'late'))
    for (let page = 0; page < 3; page++) {
      await rig.take(...Array.from({ length: 500 }, () => track({ userId: `nobody ${page}` })))
    }
    await rig.take(identify(ann))
    rig.now += 2 * HOUR
    rig.deliver()
    await rig.pass(5 * MINUTE, MINUTE)
    expect(await rig.fired()).toEqual(['late'])
    expect(await rig.partition()).toMatchObject({ events: 0, deadLetters: 1500 })
  })

  it('is not over while the identify that arrived in its time stands behind it', async () => {
    await rig.stopDelivery()
    await rig.take(track(ann, 'late'), identify(ann))
    rig.now += 2 * HOUR
    rig.deliver()
    await rig.pass(5 * MINUTE, MINUTE)
    expect(await rig.fired()).toEqual(['late'])
    expect(await rig.partition()).toMatchObject({ events: 0, deadLetters: 0 })
  })

  it('is not over while the identify before it fails', async () => {
    await rig.fault({ kind: 'status', status: 503, path: ALL, times: 'always' })
    await rig.take(identify(ann), track({ userId: ann.userId }, 'without an address'))
    await rig.pass(2 * HOUR, MINUTE)
    await rig.control('DELETE', 'faults')
    await rig.settle(2 * HOUR)
    expect(await rig.fired()).toEqual(['without_an_address'])
    expect(await rig.partition()).toMatchObject({ events: 0, deadLetters: 0 })
  })

  it('is not over while it keeps back that identify itself, since EmailSendX failed all the time', async () => {
    await rig.fault({ kind: 'status', status: 503, path: ALL, times: 'always' })
    await rig.take(track(ann, 'first'))
    await rig.pass(20 * MINUTE, MINUTE)
    await rig.take(identify(ann))
    await rig.pass(2 * HOUR, MINUTE)
    await rig.control('DELETE', 'faults')
    await rig.settle(2 * HOUR)
    expect(await rig.fired()).toEqual(['first'])
    expect(await rig.partition()).toMatchObject({ events: 0, deadLetters: 0 })
  })
})

describe('few calls', () => {
  it('make 1,500 identifies in 3, and merge those of one contact', async () => {
    await rig.stopDelivery()
    for (let page = 0; page < 2; page++) {
      await rig.take(...Array.from({ length: 750 }, (_, row) => identify({ email: `c${page}-${row}@example.com` })))
    }
    rig.deliver()
    await rig.quiet()
    expect((await rig.state()).totals.contacts).toBe(1_500)
    expect(await rig.calls(BULK)).toBe(3)

    await rig.take(identify(ann, { step: 1 }), identify(ann, { step: 2, first: true }), identify(ann, { step: 3 }))
    await rig.quiet()
    expect(await rig.calls(BULK)).toBe(4)
    expect((await rig.state()).contacts[0].metadata).toEqual({ step: 3, first: true })
  })

  it('gather identifies from between the tracks of others', async () => {
    await rig.stopDelivery()
    const names = Array.from({ length: 20 }, (_, index) => `c${index}@example.com`)
    await rig.take(...names.flatMap((email) => [identify({ email }), track({ email })]))
    rig.deliver()
    await rig.quiet()
    expect((await rig.state()).totals.events).toBe(20)
    expect(await rig.calls(BULK)).toBe(1)
  })

  it('do not starve tracks under a stream of identifies, nor identifies under tracks', async () => {
    await rig.renew({ rateLimit: 20 })
    await rig.take(identify(ann))
    await rig.quiet()
    await rig.take(...Array.from({ length: 60 }, (_, index) => track(ann, `event_${index}`)))
    for (let second = 0; second < 150; second++) {
      await rig.take(identify({ email: `c${second}@example.com` }))
      await rig.pass(SECOND)
    }
    const { totals } = await rig.state()
    expect(totals.events).toBeGreaterThanOrEqual(30)
    expect(totals.contacts).toBeGreaterThanOrEqual(100)
    await rig.settle(3 * MINUTE)
    expect(await rig.fired()).toEqual(Array.from({ length: 60 }, (_, index) => `event_${index}`))
    expect((await rig.state()).totals.contacts).toBe(151)
  })
})

describe('pace', () => {
  it('stays within 60 a minute without ever being refused', async () => {
    await rig.renew({ rateLimit: 60 })
    await rig.take(identify(ann), ...Array.from({ length: 100 }, (_, index) => track(ann, `event_${index}`)))
    await rig.quiet()
    expect((await rig.state()).totals.requests).toBeGreaterThanOrEqual(55)
    await rig.pass(2 * MINUTE, 5 * SECOND)
    const { totals, requests } = await rig.state()
    expect(totals.events).toBe(100)
    expect(requests.flatMap(({ answers }) => Object.keys(answers))).not.toContain('429')
  })

  it('stays within it when places in the window come free one by one, and an event takes two calls', async () => {
    await rig.renew({ rateLimit: 5 })
    const people = Array.from({ length: 20 }, (_, index) => ({ userId: `u${index}`, email: `u${index}@example.com` }))
    await rig.take(...people.map((person) => identify(person)))
    for (const person of people) {
      await rig.pass(1_700)
      await rig.take(track(person, 'seen'))
    }
    await rig.settle(10 * MINUTE)
    const { totals, requests } = await rig.state()
    expect(totals.events).toBe(20)
    expect(requests.flatMap(({ answers }) => Object.keys(answers))).not.toContain('429')
  })

  it('waits exactly as long as a 429 says, and counts nothing against the events', async () => {
    await rig.fault({ kind: 'status', status: 429, path: ALL, headers: { 'retry-after': '300' } })
    await rig.take(identify(ann))
    await rig.quiet()
    await rig.pass(299 * SECOND, 50 * SECOND)
    expect(await rig.calls(BULK)).toBe(1)
    await rig.pass(SECOND)
    expect(await rig.calls(BULK)).toBe(2)
    expect((await rig.state()).totals.contacts).toBe(1)
  })

  it('survives 429 for minutes', async () => {
    await rig.fault({ kind: 'status', status: 429, path: ALL, times: 'always', headers: { 'retry-after': '14' } })
    await rig.take(identify(ann), track(ann, 'one'), track(ann, 'two'))
    await rig.settle(10 * MINUTE)
    expect(await rig.calls(BULK)).toBeLessThanOrEqual((10 * 60) / 14 + 1)
    await rig.control('DELETE', 'faults')
    await rig.settle(MINUTE)
    expect(await rig.fired()).toEqual(['one', 'two'])
    expect(await rig.dead()).toEqual([])
  })
})

describe('faults of EmailSendX', () => {
  it('like 500 for an hour cost neither events nor order, and few calls', async () => {
    await rig.take(identify(ann), identify(bob))
    await rig.quiet()
    await rig.fault({ kind: 'status', status: 500, path: ALL, times: 'always' })
    for (let index = 0; index < 6; index++) {
      await rig.take(
        track(ann, `ann_${index}`),
        track(bob, `bob_${index}`),
        identify(ann, { [`step_${index}`]: index })
      )
    }
    await rig.settle(HOUR)
    expect((await rig.state()).totals.requests).toBeLessThan(60)
    expect(await rig.dead()).toEqual([])
    await rig.control('DELETE', 'faults')
    await rig.settle(2 * HOUR)

    const fired = await rig.fired()
    expect(fired.filter((name) => name.startsWith('ann'))).toEqual([0, 1, 2, 3, 4, 5].map((index) => `ann_${index}`))
    expect(fired.filter((name) => name.startsWith('bob'))).toEqual([0, 1, 2, 3, 4, 5].map((index) => `bob_${index}`))
    expect(await rig.partition()).toMatchObject({ events: 0, deadLetters: 0 })
  })

  it.each([
    ['garbage', { kind: 'garbage' }],
    ['a page of HTML', { kind: 'status', status: 502, body: '<h1>Bad gateway</h1>' }],
    ['a redirect', { kind: 'status', status: 302, headers: { location: 'https://example.com' } }],
    ['a 404 for everything', { kind: 'status', status: 404 }],
    ['closed connections', { kind: 'drop' }]
  ])('like %s cost no identify and no track', async (_, fault) => {
    await rig.fault({ ...fault, path: '/api/v1/contacts/bulk', times: 3 })
    await rig.fault({ ...fault, path: CONTACTS, method: 'GET', times: 3 })
    await rig.take(identify(ann), track(ann, 'one'))
    await rig.settle(2 * MINUTE)
    expect(await rig.fired()).toEqual(['one'])
    expect(await rig.dead()).toEqual([])
  })

  it('that concern one event do not hold up the others, and make a dead letter in the end', async () => {
    await rig.take(identify(ann), identify(bob))
    await rig.quiet()
    const { contacts } = await rig.control<{ contacts: { id: string; email: string }[] }>('GET', 'state')
    const annsId = contacts.find(({ email }) => email === ann.email)?.id
    await rig.fault({ kind: 'status', status: 500, path: `/api/v1/contacts/${annsId}/events`, times: 'always' })
    await rig.take(track(ann, 'poison'), track(ann, 'behind'))
    for (let index = 0; index < 10; index++) {
      await rig.take(track(bob, `bob_${index}`))
      await rig.pass(MINUTE, 10 * SECOND)
    }
    expect(await rig.fired()).toEqual(Array.from({ length: 10 }, (_, index) => `bob_${index}`))
    while ((await rig.dead()).length === 0) {
      await rig.take(track(bob, 'bob_later'))
      await rig.pass(HOUR, 10 * MINUTE)
    }
    expect(await rig.dead()).toEqual([expect.stringMatching(/^gave_up: .* has a problem of its own \(500\)/)])
    await rig.control('DELETE', 'faults')
    await rig.settle(2 * HOUR)
    expect(await rig.fired()).toContain('behind')
  })

  it('that concern one contact of a bulk call spare the others', async () => {
    await rig.fault({ kind: 'refuse-contact', email: 'c7@example.com', message: 'email is on the block list' })
    await rig.take(...Array.from({ length: 20 }, (_, index) => identify({ email: `c${index}@example.com` })))
    await rig.quiet()
    expect((await rig.state()).totals.contacts).toBe(19)
    expect(await rig.dead()).toEqual(['refused: EmailSendX did not accept the contact: email is on the block list'])
  })

  it('in an event itself are told in its own words', async () => {
    await rig.take(identify(ann), identify({ ...bob, options: { listId: 'no_such_list' } }))
    await rig.quiet()
    await rig.fault({ kind: 'status', status: 400, path: EVENTS, body: { error: 'data.amount must be positive' } })
    await rig.take(track(ann))
    await rig.quiet()
    expect(await rig.dead()).toEqual([
      expect.stringContaining('refused: The list "no_such_list" does not exist'),
      'refused: EmailSendX refused the request: data.amount must be positive'
    ])
    const [letter] = await rig.queue.deadLetters.list({})
    expect(letter).toMatchObject({
      attempts: 1,
      type: 'track',
      arrivedAt: rig.now,
      diedAt: rig.now,
      firstFailedAt: rig.now
    })
  })

  it('are logged without keys, addresses or traits', async () => {
    await rig.fault({ kind: 'status', status: 500, path: ALL, times: 2 })
    await rig.take(identify(ann, { plan: 'secretplan' }))
    await rig.pass(MINUTE, SECOND)
    const log = rig.log.join('')
    expect(log).toMatch(/nothing can be delivered in this partition[^]*this partition is delivered again/)
    expect(log).not.toMatch(/ann@|secretplan|esx_/)
  })
})

describe('a refused key', () => {
  async function change(revoked: boolean) {
    await rig.control('PATCH', `keys/${rig.keyId}`, { revoked })
  }

  beforeEach(async () => {
    await rig.take(identify(ann))
    await rig.quiet()
    await change(true)
    await rig.take(track(ann, 'one'), track(ann, 'two'))
    await rig.quiet()
  })

  it('suspends its partition, which loses nothing and is tried ever more rarely', async () => {
    expect(await rig.queue.partitions.list({ apiKey: rig.apiKey, suspended: true })).toMatchObject([
      { events: 2, proven: true, suspended: { reason: expect.stringContaining('EmailSendX refused the API key') } }
    ])
    const before = (await rig.state()).totals.requests
    await rig.settle(6 * HOUR)
    expect((await rig.state()).totals.requests - before).toBeLessThanOrEqual(12)
    await change(false)
    await rig.settle(HOUR)
    expect(await rig.fired()).toEqual(['one', 'two'])
    expect(await rig.queue.partitions.list({ apiKey: rig.apiKey, suspended: true })).toEqual([])
    expect(await rig.dead()).toEqual([])
  })

  it('is tried again with the next request', async () => {
    await change(false)
    await rig.pass(MINUTE)
    await rig.take(track(ann, 'three'))
    await rig.quiet()
    expect(await rig.fired()).toEqual(['one', 'two', 'three'])
  })

  it('is tried again when an operator says so', async () => {
    await change(false)
    expect(await rig.queue.partitions.resume({ apiKey: rig.apiKey })).toBe(1)
    await rig.quiet()
    expect(await rig.fired()).toEqual(['one', 'two'])
  })

  it('that lacks a scope says which', async () => {
    await rig.control('PATCH', `keys/${rig.keyId}`, { revoked: false, scopes: ['contacts:read'] })
    await rig.queue.partitions.resume({})
    await rig.quiet()
    expect(await rig.queue.partitions.list({ apiKey: rig.apiKey, suspended: true })).toMatchObject([
      { suspended: { reason: expect.stringContaining('lacks the contacts:write scope') } }
    ])
  })
})

describe('an outcome that nobody knows', () => {
  async function loseTheAnswer(onUnknownOutcome: 'resend' | 'dead-letter') {
    await rig.renew({ onUnknownOutcome })
    await rig.take(identify(ann))
    await rig.quiet()
    await rig.fault({ kind: 'drop', path: EVENTS, applied: true })
    await rig.take(track(ann, 'one'), track(ann, 'two'))
    await rig.pass(10 * SECOND, SECOND)
  }

  it('is resolved by sending again', async () => {
    await loseTheAnswer('resend')
    expect(await rig.fired()).toEqual(['one', 'one', 'two'])
    expect(await rig.dead()).toEqual([])
  })

  it('is resolved by not sending again, when so told', async () => {
    await loseTheAnswer('dead-letter')
    expect(await rig.fired()).toEqual(['one', 'two'])
    expect(await rig.dead()).toEqual([expect.stringMatching(/^outcome_unknown: EmailSendX at .* can't be reached/)])
    const before = await rig.fired()
    await rig.fault({ kind: 'drop', path: CONTACTS, method: 'GET' })
    forgetContacts()
    await rig.take(track(ann, 'three'))
    await rig.pass(10 * SECOND, SECOND)
    expect(await rig.fired()).toEqual([...before, 'three'])
  })

  it('is left behind by a stop that comes before the answer', async () => {
    for (const onUnknownOutcome of ['dead-letter', 'resend'] as const) {
      const rig = await Rig.start({ onUnknownOutcome, graceMs: 50 })
      await rig.take(identify(ann))
      await rig.quiet()
      await rig.fault({ kind: 'delay', path: EVENTS, delayMs: 20_000 })
      const isFiring = rig.nextFiring()
      await rig.take(track(ann, 'one'))
      await isFiring
      const begun = performance.now()
      await rig.stopDelivery()
      expect(performance.now() - begun).toBeLessThan(3_000)
      rig.deliver({ onUnknownOutcome })
      await rig.quiet()
      if (onUnknownOutcome === 'resend') {
        expect(await rig.fired()).toEqual(['one'])
        expect(await rig.dead()).toEqual([])
      } else {
        expect(await rig.fired()).toEqual([])
        expect(await rig.dead()).toEqual([expect.stringMatching(/^outcome_unknown: The bridge was interrupted/)])
      }
      await rig.end()
    }
  })
})

describe('a store', () => {
  it('that claims a partition and loses the answer keeps none from being delivered', async () => {
    const { claim } = rig.queue.runs
    rig.queue.runs.claim = async (worker, query) => {
      const claimed = await claim(worker, query)
      if (claimed.length === 0) return claimed
      rig.queue.runs.claim = claim
      throw new QueueUnavailable('The answer is lost.')
    }
    await rig.take(identify(ann))
    while ((await rig.partition()).events > 0) await tick()
    expect(rig.queue.runs.claim).toBe(claim)
    expect((await rig.state()).contacts).toMatchObject([{ email: 'ann@example.com' }])
  })
})

describe('many partitions', () => {
  it('are all delivered, and slow or dead ones delay nobody else', async () => {
    await rig.renew({ concurrency: 8 })
    const keys = await Promise.all(
      Array.from({ length: 30 }, () => rig.control<{ key: string }>('POST', 'keys', { name: 'partition' }))
    )
    for (const { key } of keys.slice(0, 10)) {
      await rig.fault({ kind: 'drop', path: ALL, key, times: 'always', delayMs: 200 })
    }
    await Promise.all(
      keys.map(({ key }, partition) =>
        rig.takeFor(
          key,
          ...Array.from({ length: 3 }, (_, n) => identify({ email: `c${n}@partition${partition}.example` }))
        )
      )
    )
    while ((await rig.queue.stats()).events > 10 * 3) await tick()
    expect((await rig.state()).totals.contacts).toBe(20 * 3)
    await rig.control('DELETE', 'faults')
    await rig.pass(3 * MINUTE, MINUTE)
    expect((await rig.state()).totals.contacts).toBe(30 * 3)
  })
})

describe('the clock', () => {
  it('leaping ahead loses and repeats nothing', async () => {
    await rig.take(identify(ann), track({ userId: 'u9' }, 'waiting'), track(ann, 'one'))
    await rig.quiet()
    await rig.pass(400 * 24 * HOUR)
    await rig.take(track(ann, 'two'))
    await rig.quiet()
    expect(await rig.fired()).toEqual(['one', 'two'])
    expect(await rig.dead()).toEqual([expect.stringContaining('unknown_email')])
  })

  it('set back stalls nothing', async () => {
    await rig.fault({ kind: 'status', status: 429, path: ALL, headers: { 'retry-after': '3000' } })
    await rig.take(identify(ann), track(ann, 'one'))
    await rig.quiet()
    rig.now -= 30 * MINUTE
    await rig.quiet()
    expect(await rig.fired()).toEqual(['one'])
    rig.now -= 10 * 24 * HOUR
    await rig.take(track(ann, 'two'), track({ userId: 'u2' }, 'waiting'))
    await rig.quiet()
    await rig.take(identify(bob))
    await rig.quiet()
    expect(await rig.fired()).toEqual(['one', 'two', 'waiting'])
  })
})

it('delivers duplicates of everything once', async () => {
  const events = [identify(ann), track(ann, 'one'), identify(bob), track(bob, 'two')]
  for (let round = 0; round < 3; round++) {
    await rig.take(...events, ...events)
    await rig.quiet()
  }
  expect((await rig.fired()).sort()).toEqual(['one', 'two'])
  expect(await rig.calls(FIRE)).toBe(2)
})
