/** The same thousand people for every contestant. */

export type Event = Record<string, unknown>

const common = (index: number, run: string) => ({
  messageId: `message-${run}-${index}`,
  userId: `user-${run}-${index}`,
  anonymousId: `anonymous-${run}-${index}`,
  timestamp: new Date().toISOString(),
  receivedAt: new Date().toISOString(),
  sentAt: new Date().toISOString(),
  integrations: {}
})

/** @param run makes the people of one run those of no other, so that no destination knows them already */
export const emailOf = (index: number, run: string): string => `person.${index}.${run}@example.com`

export const identify = (index: number, run: string): Event => ({
  ...common(index, run),
  type: 'identify',
  context: { library: { name: 'analytics.js' }, ip: '8.8.8.8' },
  traits: {
    email: emailOf(index, run),
    firstName: 'Morgan',
    lastName: `Lee ${index}`,
    plan: 'pro',
    company: 'Acme Corp',
    signupSource: 'landing',
    seats: 12,
    address: { city: 'Lyon', country: 'FR' }
  }
})

export const track = (index: number, run: string): Event => ({
  ...common(index, run),
  type: 'track',
  event: 'Purchase Completed',
  context: { library: { name: 'analytics.js' }, traits: { email: emailOf(index, run) } },
  properties: {
    email: emailOf(index, run),
    orderId: `ord_${index}`,
    amount: 99,
    currency: 'USD',
    items: ['Pro Plan - Annual'],
    coupon: 'LAUNCH20'
  }
})
