import type { Browser } from 'playwright-core'
import type { Call, Endpoint } from './endpoint'
import {
  analyticsJs,
  analyticsJsWithMiddleware,
  analyticsNode,
  rudderStackJs,
  SENDERS,
  type Sender,
  type Session
} from './senders'

/** The two calls of EmailSendX's Segment page. */
export const USER_ID = 'user_12345'
export const TRAITS = {
  email: 'morgan@acme.com',
  firstName: 'Morgan',
  lastName: 'Lee',
  plan: 'pro',
  company: 'Acme Corp',
  signupSource: 'landing'
}
export const EVENT = 'purchase_completed'
export const PROPERTIES = { orderId: 'ord_xyz123', amount: 99.0, currency: 'USD', items: ['Pro Plan - Annual'] }

/** Segment's example of its event "Order Completed", shortened. */
const ORDER = {
  order_id: '50314b8e9bcf000000000000',
  affiliation: 'Online shop',
  total: 27.5,
  shipping: 3,
  tax: 2,
  currency: 'USD',
  coupon: 'hasbros',
  products: [
    { product_id: '507f1f77bcf86cd799439011', sku: '45790-32', name: 'Board game', price: 19, quantity: 1 },
    { product_id: '505bd76785ebb509fc183733', sku: '46493-32', name: 'Card game', price: 3.5, quantity: 1 }
  ]
}

const PRIYA = {
  firstName: 'Priya',
  lastName: 'Nair',
  createdAt: '2026-01-15T10:00:00Z',
  seats: 12,
  trial: false,
  company: { name: 'Startup Inc', employees: 40 },
  tags: ['beta', 'founder']
}

/** The files of `.segment/events`, each recorded from a real library. */
export async function recordSamples(endpoint: Endpoint, browser: Browser): Promise<Record<string, Call | Call[]>> {
  const use = async <T>(sender: Sender, calls: (session: Session) => Promise<T>): Promise<T> => {
    const session = await sender.open(endpoint, browser)
    try {
      return await calls(session)
    } finally {
      await session.close()
    }
  }
  const samples = {
    ...(await use(analyticsJs, async ({ identify, track }) => ({
      anonymous: await track('Article Read', { slug: 'welcome' }),
      identify: await identify(USER_ID, TRAITS),
      track: await track(EVENT, PROPERTIES)
    }))),
    ...(await use(analyticsJsWithMiddleware, async ({ identify, track }) => {
      await identify(USER_ID, TRAITS)
      const spellings: Call[] = []
      for (const [index, event] of ['Purchase Completed', 'purchase_completed', 'PURCHASE_COMPLETED'].entries()) {
        spellings.push(await track(event, { orderId: `ord_${index + 1}`, amount: 99.0, currency: 'USD' }))
      }
      return {
        'track-with-address': await track(EVENT, PROPERTIES),
        'order-completed': await track('Order Completed', ORDER),
        spellings
      }
    })),
    ...(await use(analyticsNode, async ({ identify }) => ({ server: await identify('priya@startup.io', PRIYA) }))),
    ...(await use(rudderStackJs, async ({ identify, track }) => ({
      'rudderstack-identify': await identify(USER_ID, TRAITS),
      'rudderstack-track': await track(EVENT, PROPERTIES)
    })))
  }
  return tidied(samples, endpoint.origin)
}

/** What is of one call or one machine alone, and would make a sample that is sent twice a duplicate. */
const OF_ONE_CALL = ['messageId', 'timestamp', 'originalTimestamp', 'sentAt', 'sessionId', 'writeKey', '_metadata']

/** As a website of somebody's would have sent it. */
function tidied<T>(samples: T, origin: string): T {
  const text = JSON.stringify(samples, (key, value: unknown) => (OF_ONE_CALL.includes(key) ? undefined : value))
    .replaceAll(new RegExp(`${origin}/(segment|rudderstack)`, 'g'), 'https://www.example.com/')
    .replaceAll(/"\/(segment|rudderstack)"/g, '"/"')
    .replaceAll('HeadlessChrome', 'Chrome')
    .replaceAll(/"anonymousId":"[^"]*"/g, '"anonymousId":"507f191e-810c-4197-9de8-60eadbb9c9a1"')
  return JSON.parse(text) as T
}

/** Where a call carries an address. */
function addressesIn(call: Call): string {
  const places = ['traits', 'context.traits', 'properties'].filter((place) => {
    const values = place.split('.').reduce<unknown>((value, key) => (value as Call | undefined)?.[key], call)
    return (values as { email?: string } | undefined)?.email !== undefined
  })
  return places.map((place) => `\`${place}.email\``).join(', ') || 'none'
}

/** The table of docs/addresses.md: sender × call → where it carries an address. */
export async function senderTable(endpoint: Endpoint, browser: Browser): Promise<string[][]> {
  const rows = []
  for (const { name, open } of SENDERS) {
    const session = await open(endpoint, browser)
    const identified = await session.identify(USER_ID, TRAITS)
    const tracked = await session.track(EVENT, PROPERTIES)
    await session.close()
    rows.push([name, addressesIn(identified), addressesIn(tracked)])
  }
  return rows
}
