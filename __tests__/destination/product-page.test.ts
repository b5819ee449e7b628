import identify from '../../.segment/events/identify.json'
import order from '../../.segment/events/order-completed.json'
import server from '../../.segment/events/server.json'
import spellings from '../../.segment/events/spellings.json'
import track from '../../.segment/events/track-with-address.json'
import createUnknownContacts from '../../.segment/mappings/create-unknown-contacts.json'
import customersList from '../../.segment/mappings/customers-list.json'
import noList from '../../.segment/mappings/no-list.json'
import { startStack } from './stack'
import type { Stack } from './stack'

let stack: Stack
beforeAll(async () => (stack = await startStack()))
beforeEach(() => stack.reset())
afterAll(() => stack.stop())

const MORGAN = 'morgan@acme.com'
const defaultList = { settings: { defaultListId: 'clx_list_newsletter_id' } }
/** snake_case names, a nested address, empty traits. */
const mobile = {
  type: 'identify',
  userId: 'mobile_8f2c',
  context: { device: { type: 'ios' } },
  traits: {
    email: ' Sora.Tanaka@Example.jp ',
    first_name: '空',
    last_name: '田中',
    push_enabled: true,
    address: { city: '東京', country: 'Japan' },
    avatar: '',
    referrer: null
  }
}
const ok = expect.objectContaining({ status: 200 })

it('identify and track of the product page: contact, metadata, default list, and the automation once', async () => {
  expect(await stack.send('identifyContact', identify, defaultList)).toEqual([ok])
  expect(await stack.send('trackEvent', track)).toEqual([ok])
  expect(await stack.contact(MORGAN)).toMatchObject({
    contact: {
      firstName: 'Morgan',
      lastName: 'Lee',
      metadata: { plan: 'pro', company: 'Acme Corp', signupSource: 'landing' }
    },
    lists: [{ id: 'clx_list_newsletter_id' }],
    events: [{ name: 'purchase_completed', data: track.properties }],
    automationRuns: [{ automationName: 'Post-Purchase Flow' }]
  })
})

it('Purchase Completed, purchase_completed and PURCHASE_COMPLETED start the same automation', async () => {
  await stack.send('identifyContact', identify)
  for (const event of spellings) expect(await stack.send('trackEvent', event)).toEqual([ok])
  expect((await stack.contact(MORGAN)).automationRuns).toHaveLength(3)
})

it('an identify that repeats changes only what it brings, and never resubscribes', async () => {
  await stack.send('identifyContact', identify, defaultList)
  await stack.setStatus(MORGAN, 'unsubscribed')
  const again = { type: 'identify', userId: MORGAN, traits: { plan: 'team', company: '', firstName: null } }
  expect(await stack.send('identifyContact', again)).toEqual([ok])
  expect((await stack.contact(MORGAN)).contact).toMatchObject({
    firstName: 'Morgan',
    status: 'unsubscribed',
    metadata: { plan: 'team', company: 'Acme Corp', signupSource: 'landing' }
  })
})

it('takes the events of a shop, a mobile app and a server', async () => {
  expect(await stack.send('identifyContact', [mobile, server, identify])).toEqual([ok, ok, ok])
  expect(await stack.send('trackEvent', order)).toEqual([ok])
  expect((await stack.contact('sora.tanaka@example.jp')).contact).toMatchObject({
    firstName: '空',
    lastName: '田中',
    metadata: { push_enabled: true, address_city: '東京', address_country: 'Japan' }
  })
  expect((await stack.contact('priya@startup.io')).contact.metadata).toEqual({
    createdAt: '2026-01-15T10:00:00Z',
    seats: 12,
    trial: false,
    company_name: 'Startup Inc',
    company_employees: 40,
    tags: ['beta', 'founder']
  })
  expect((await stack.contact(MORGAN)).events).toEqual([expect.objectContaining({ name: 'order_completed' })])
})

it('an event that overtakes its identify is delivered when it comes again', async () => {
  const [early] = await stack.send('trackEvent', { ...track, timestamp: new Date().toISOString() })
  expect(early).toMatchObject({ status: 503, errortype: 'RETRYABLE_ERROR' })
  await stack.send('identifyContact', identify)
  expect(await stack.send('trackEvent', track)).toEqual([ok])
})

it('an event without any email is refused with the reason', async () => {
  const [result] = await stack.send('trackEvent', { ...track, userId: null, context: {} })
  expect(result).toMatchObject({ status: 400, errormessage: expect.stringContaining('No email address') })
})

it('an event without any email waits for the identify() of its user', async () => {
  const fromBrowser = { ...track, context: {}, timestamp: new Date().toISOString() }
  const [result] = await stack.send('trackEvent', fromBrowser)
  expect(result).toMatchObject({
    status: 503,
    errormessage: expect.stringContaining('no contact with this User ID yet')
  })
  await stack.send('identifyContact', identify)
  expect(await stack.send('trackEvent', fromBrowser)).toEqual([ok])
})

it.each([
  ['customers-list', customersList, [{ id: 'clx_list_customers_id' }]],
  ['no-list', noList, []]
])('the sample mapping %s chooses the list', async (_name, mapping, lists) => {
  await stack.send('identifyContact', identify, { ...defaultList, mapping })
  expect((await stack.contact(MORGAN)).lists).toMatchObject(lists)
})

it('the sample mapping create-unknown-contacts creates the contact of an event', async () => {
  expect(await stack.send('trackEvent', track, { mapping: createUnknownContacts })).toEqual([ok])
  expect((await stack.contact(MORGAN)).automationRuns).toHaveLength(1)
})
