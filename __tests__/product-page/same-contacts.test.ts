import { randomUUID } from 'node:crypto'
import anonymous from '../../.segment/events/anonymous.json'
import identify from '../../.segment/events/identify.json'
import order from '../../.segment/events/order-completed.json'
import server from '../../.segment/events/server.json'
import spellings from '../../.segment/events/spellings.json'
import trackWithAddress from '../../.segment/events/track-with-address.json'
import track from '../../.segment/events/track.json'
import { send, ways, type Call } from './__helpers__/ways'

const PURCHASE = { email: 'morgan@acme.com', name: 'purchase_completed', data: track.properties }
const ada = { ...identify, userId: 'ada', traits: { email: 'ada@example.com' } }

interface Story {
  calls: Call[]
  /** What is fired, on whom. */
  events: object[]
  /** Where the bridge differs: it has a store, so that events wait in it for their address. */
  bridge?: { events?: object[]; waits?: number }
}

/** The same people and events through the catalog and the bridge. */
const STORIES: Record<string, Story> = {
  'a website: the track has no address': { calls: [identify, track], events: [PURCHASE] },
  'a website with the middleware': { calls: [identify, trackWithAddress], events: [PURCHASE] },
  'a track that overtakes its identify': { calls: [track, identify], events: [PURCHASE] },
  'a server whose user ids are addresses': {
    calls: [server, { ...track, userId: server.userId }],
    events: [{ ...PURCHASE, email: server.userId }]
  },
  'one event name in three spellings': {
    calls: [identify, ...spellings],
    events: spellings.map(({ properties }) => ({ ...PURCHASE, data: properties }))
  },
  'an order of a shop': {
    calls: [identify, order],
    events: [{ ...PURCHASE, name: 'order_completed', data: order.properties }]
  },
  'two people at one computer': {
    calls: [identify, ada, track, { ...track, userId: ada.userId }],
    events: [PURCHASE, { ...PURCHASE, email: ada.traits.email }]
  },
  'somebody with a new address': {
    calls: [identify, { ...identify, traits: { email: 'morgan@example.com' } }, track],
    events: [{ ...PURCHASE, email: 'morgan@example.com' }]
  },
  'a user without any address': {
    calls: [{ ...identify, traits: { plan: 'pro' } }, track],
    events: [],
    bridge: { waits: 2 }
  },
  'a visitor who stays anonymous': { calls: [anonymous], events: [], bridge: { waits: 1 } },
  // Segment's triggers leave out anonymous visitors; the bridge is sent them, and knows their computer.
  'a visitor who is identified later': {
    calls: [anonymous, identify],
    events: [],
    bridge: { events: [{ ...PURCHASE, name: 'article_read', data: anonymous.properties }] }
  },
  'a user who has logged out': {
    calls: [identify, { ...track, userId: null }],
    events: [],
    bridge: { events: [PURCHASE] }
  }
}

it.each(Object.entries(STORIES))(
  '%s',
  async (_, { calls, events, bridge }) => {
    const stamped = calls.map((call) => ({ ...call, messageId: randomUUID(), timestamp: new Date().toISOString() }))
    const everyContact: unknown[] = []
    for (const way of ways) {
      const differs = way === 'the bridge' ? bridge : undefined
      const known = await send(way, stamped, differs?.waits ?? 0)
      expect([way, known.events]).toEqual([way, differs?.events ?? events])
      everyContact.push(known.contacts)
    }
    expect(everyContact).toEqual(ways.map(() => everyContact[0]))
  },
  60_000
)
