import type { BridgeEvent } from '../../event'
import type { Block, BlockedKey } from '../../queue'
import { identify, track } from '../../queue/__tests__/__helpers__/events'
import { anonymousKey, emailKey, userKey } from '../../queue/keys'
import { plan } from '../schedule'
import type { Head, Plan, Rules } from '../schedule'
import { recognise } from '../identity-links'

const NOW = 1_000_000_000
const HOUR = 3_600_000
const ann = { userId: 'u1', email: 'ann@example.com' }
const bob = { userId: 'u2', email: 'bob@example.com' }

/** The head of a partition with these events, numbered from 1. */
function head(
  events: BridgeEvent[],
  { known = {}, blocked = [], complete = true, arrivedAt = NOW }: HeadOptions = {}
): Head {
  const laneEvents = events.map((event, index) => ({ id: index + 1, event, arrivedAt, attempts: 0, firing: false }))
  return { items: recognise(laneEvents, new Map(Object.entries(known))), complete, blocked, readUpTo: arrivedAt }
}

interface HeadOptions {
  known?: Record<string, string>
  blocked?: BlockedKey[]
  complete?: boolean
  arrivedAt?: number
}

function next(of: Head, rules: Partial<Rules> = {}): Plan {
  return plan(of, {
    now: NOW,
    waitMs: HOUR,
    maxContacts: 500,
    tracksInARow: Infinity,
    keepUnknownOutcomes: false,
    isMissing: () => false,
    ...rules
  })
}

/** The call as `identify 1 2` or `track 3`. */
function callOf({ call }: Plan): string | undefined {
  return call && `${call.type} ${call.items.map(({ id }) => id).join(' ')}`
}

function deferredOf({ deferred }: Plan): string[] {
  return deferred.map((one) => `${one.id} ${one.for} ${one.blocks}`)
}

const blocks = (key: string, kind: Block, first = 0): BlockedKey => ({ key, blocks: kind, first })

describe('the next call', () => {
  it('is nothing for an empty partition', () => {
    expect(next(head([]))).toEqual({
      deferred: [],
      dead: [],
      links: [],
      requeueFirst: [],
      requeueIdentifies: [],
      call: undefined
    })
  })

  it('is none for what has a wrong address: it is dead at once, whatever is known of its user', () => {
    const emailProblem = 'Email is not a valid email address: it must contain exactly one @.'
    const wrong = [identify, track].map((make) => ({ ...make({ userId: 'u1' }), emailProblem }))
    const { dead, deferred, call } = next(head(wrong, { known: { [userKey('u1')]: ann.email } }))
    expect(dead).toEqual([1, 2].map((id) => ({ ids: [id], reason: 'refused', detail: emailProblem })))
    expect({ deferred, call }).toEqual({ deferred: [], call: undefined })
  })

  it('gathers identifies, past the tracks of others but not past those of their own users', () => {
    const events = [
      identify(ann),
      track(ann),
      identify(bob),
      identify(ann),
      track(bob),
      identify({ email: 'c@example.com' })
    ]
    expect(callOf(next(head(events)))).toBe('identify 1 3 6')
  })

  it('keeps identifies with other options for later calls', () => {
    const listed = { ...bob, options: { listId: 'l1' } }
    expect(callOf(next(head([identify(ann), identify(listed), identify({ ...bob }), identify(ann)])))).toBe(
      'identify 1 4'
    )
  })

  it('counts contacts, not events', () => {
    const events = [identify(ann), identify(bob), identify(ann), identify({ email: 'c@example.com' }), identify(bob)]
    expect(callOf(next(head(events), { maxContacts: 2 }))).toBe('identify 1 2 3 5')
    expect(callOf(next(head(events), { maxContacts: 1 }))).toBe('identify 1 3')
  })

  it('is the first track that nothing of its user is before, when it is the tracks’ turn', () => {
    const events = [identify(ann), track(ann), track(bob), track(bob)]
    expect(callOf(next(head(events), { tracksInARow: 0 }))).toBe('track 3')
    expect(callOf(next(head(events), { tracksInARow: 4 }))).toBe('identify 1')
    expect(callOf(next(head(events.slice(1))))).toBe('track 1')
  })

  it('is a bulk call whenever there are many identifies', () => {
    const many = Array.from({ length: 100 }, (_, index) => identify({ email: `c${index}@example.com` }))
    expect(next(head([track(ann), ...many]), { tracksInARow: 0 }).call?.items).toHaveLength(100)
  })

  it('treats all names of a user as one', () => {
    const events = [
      track({ anonymousId: 'a1', email: 'ann@example.com' }),
      identify({ userId: 'u1', anonymousId: 'a1', email: 'other@example.com' }),
      track({ userId: 'u1' }),
      identify({ email: 'ann@example.com' })
    ]
    expect(callOf(next(head(events)))).toBe('track 1')
  })
})

describe('events without an email', () => {
  it('stay where they are while there is an identify that may tell it', () => {
    const planned = next(head([track({ userId: 'u1' }), identify(ann)]))
    expect(callOf(planned)).toBe('identify 2')
    expect(deferredOf(planned)).toEqual([])
  })

  it('step aside otherwise, with those of their user behind them', () => {
    const events = [track({ userId: 'u1' }), track({ userId: 'u1', email: 'ann@example.com' }), track(bob)]
    const planned = next(head(events))
    expect(deferredOf(planned)).toEqual(['1 email track'])
    expect(planned.deferred[0]).toMatchObject({ until: NOW + HOUR, keys: [userKey('u1')] })
    expect(callOf(planned)).toBe('track 3')
  })

  it('are resolved by what is known, and by identifies before them', () => {
    expect(callOf(next(head([track({ userId: 'u1' })], { known: { [userKey('u1')]: 'ann@example.com' } })))).toBe(
      'track 1'
    )
    const planned = next(head([identify(ann), track({ userId: 'u1' })]))
    expect(callOf(planned)).toBe('identify 1')
    expect(planned.deferred).toEqual([])
  })

  it('are told by the next identify when they are identifies themselves', () => {
    const planned = next(head([identify({ userId: 'u1' }), track(bob), identify(ann)]))
    expect(callOf(planned)).toBe('identify 1 3')
    expect(planned.call?.items[0].email).toBe('ann@example.com')
  })

  it('tell at once whose an anonymousId is, when their user is known', () => {
    const known = { [userKey('u1')]: 'ann@example.com' }
    const event = track({ userId: 'u1', anonymousId: 'a1' })
    const linked = [
      { key: userKey('u1'), email: 'ann@example.com', seenAt: NOW },
      { key: anonymousKey('a1'), email: 'ann@example.com', seenAt: NOW }
    ]
    expect(next(head([event], { known })).links).toEqual(linked.slice(1))
    const others = { ...known, [anonymousKey('a1')]: 'bob@example.com' }
    expect(next(head([event], { known: others })).links).toEqual([])
    expect(next(head([event], { known: others })).call?.items[0].links).toEqual(linked)
  })

  it('are given up when their time is over and everything of that time has been seen', () => {
    const event = track({ userId: 'u1' })
    const late = { now: NOW + HOUR }
    expect(next(head([event]), { now: NOW + HOUR - 1 }).dead).toEqual([])
    expect(next(head([event]), late)).toMatchObject({
      dead: [{ ids: [1], reason: 'unknown_email' }],
      requeueFirst: [userKey('u1')]
    })
    const more = head([event], { complete: false })
    expect(next(more, late)).toMatchObject({ dead: [], deferred: [{ id: 1, until: NOW + HOUR + 60_000 }] })
    expect(next({ ...more, readUpTo: NOW + HOUR }, late).dead).toHaveLength(1)
  })

  it('do not wait longer because the clock was set back', () => {
    expect(next(head([track({ userId: 'u1' })]), { now: NOW - 100 * HOUR }).deferred[0].until).toBe(NOW - 99 * HOUR)
  })
})

describe('what is deferred', () => {
  it('keeps back the tracks of its user, and no identify', () => {
    const blocked = [blocks(userKey('u1'), 'track')]
    expect(deferredOf(next(head([track(ann)], { blocked })))).toEqual(['1 turn track'])
    expect(callOf(next(head([identify(ann)], { blocked })))).toBe('identify 1')
  })

  it('keeps back everything of its user when it is an event that fails', () => {
    const blocked = [blocks(emailKey('ann@example.com'), 'all')]
    const planned = next(head([identify(ann), track(ann), identify(bob)], { blocked }))
    expect(deferredOf(planned)).toEqual(['1 turn all', '2 turn track'])
    expect(callOf(planned)).toBe('identify 3')
  })

  it('keeps back nothing that came before it', () => {
    const blocked = [blocks(userKey('u1'), 'all', 2)]
    expect(callOf(next(head([track(ann)], { blocked })))).toBe('track 1')
  })

  it('is requeued when it is an identify whose email has come', () => {
    const blocked = [blocks(userKey('u1'), 'identify')]
    const planned = next(head([identify(ann)], { blocked }))
    expect(planned.requeueIdentifies).toContain(userKey('u1'))
    expect(planned.call).toBeUndefined()
  })
})

describe('a contact that EmailSendX does not have', () => {
  it('is not asked for again at once', () => {
    const planned = next(head([track(ann), track(bob)]), { isMissing: (email) => email === ann.email })
    expect(deferredOf(planned)).toEqual(['1 contact track'])
    expect(planned.deferred[0].until).toBe(NOW + HOUR / 4)
    expect(callOf(planned)).toBe('track 2')
  })

  it('is created when the event asks for that', () => {
    const event = track({ ...ann, options: { unknownContact: 'create' } })
    expect(callOf(next(head([event]), { isMissing: () => true }))).toBe('track 1')
  })

  it('is given up in the end', () => {
    expect(next(head([track(ann)]), { isMissing: () => true, now: NOW + HOUR }).dead).toMatchObject([
      { reason: 'unknown_contact' }
    ])
  })
})

describe('an event that was being fired when the bridge was interrupted', () => {
  const interrupted = head([track(ann), track(ann)])
  interrupted.items[0].firing = true

  it('is fired again', () => {
    expect(callOf(next(interrupted))).toBe('track 1')
  })

  it('becomes a dead letter when so told, and its user goes on', () => {
    const planned = next(interrupted, { keepUnknownOutcomes: true })
    expect(planned.dead).toMatchObject([{ ids: [1], reason: 'outcome_unknown' }])
    expect(callOf(planned)).toBe('track 2')
  })
})
