import { Analytics } from '@segment/analytics-node'
import RudderAnalytics from '@rudderstack/rudder-sdk-node'
import { createHmac } from 'node:crypto'
import type { Bridge } from '../../src/bridge'
import { startBridge } from '../../src/bridge'
import type { Sandbox } from '../../src/sandbox'
import { startSandbox } from '../../src/sandbox'

/** What the sandbox knows, as far as these tests look. */
interface State {
  totals: { contacts: number; events: number; automationRuns: number }
  members: { listId: string; email: string }[]
  contacts: { email: string; firstName: string; lastName: string; metadata: Record<string, unknown> }[]
  events: { email: string; name: string; data: unknown }[]
  automationRuns: { email: string; eventName: string }[]
}

let sandbox: Sandbox
let bridge: Bridge
/** Each test has a sandbox that knows nothing, and a key, and so a partition, of its own. */
let key: { id: string; key: string }

async function start(): Promise<void> {
  sandbox = await startSandbox({ port: 0 })
  bridge = await startBridge({
    port: 0,
    store: ':memory:',
    apiUrl: sandbox.url,
    sharedSecret: 'wh-secret',
    logLevel: 'silent'
  })
}

async function stop(): Promise<void> {
  await bridge.close()
  await sandbox.close()
}

beforeEach(async () => {
  await fetch(`${sandbox.url}/_sandbox/reset`, { method: 'POST' })
  key = (await (await fetch(`${sandbox.url}/_sandbox/keys`, { method: 'POST' })).json()) as typeof key
})

async function state(): Promise<State> {
  return (await (await fetch(`${sandbox.url}/_sandbox/state`)).json()) as State
}

/** Comes back when the condition holds, or after ten seconds for the test to say what does not. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await condition()) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** Everything the bridge has is delivered. */
async function drained(): Promise<void> {
  await until(async () => /^bridge_store_events 0$/m.test(await (await fetch(`${bridge.url}/metrics`)).text()))
}

const person: Record<string, string> = {
  email: 'morgan@acme.com',
  firstName: 'Morgan',
  lastName: 'Lee',
  plan: 'pro',
  company: 'Acme Corp'
}
const order = { orderId: 'ord_xyz123', amount: 99, currency: 'USD', items: ['Pro Plan - Annual'] }

const common = {
  context: { library: { name: 'analytics.js', version: 'next-1.70.0' } },
  integrations: {},
  channel: 'client',
  version: 2,
  projectId: 'p'
}
const identify = {
  ...common,
  type: 'identify',
  messageId: 'ajs-next-1',
  anonymousId: 'anon-1',
  userId: 'user_12345',
  traits: person,
  timestamp: new Date().toISOString()
}
const track = {
  ...common,
  type: 'track',
  messageId: 'ajs-next-2',
  anonymousId: 'anon-1',
  userId: 'user_12345',
  event: 'Purchase Completed',
  properties: order,
  timestamp: new Date().toISOString()
}

async function expectTheStory(): Promise<void> {
  await until(async () => (await state()).totals.automationRuns > 0)
  await drained()
  const { totals, contacts, events, automationRuns } = await state()
  expect(totals).toMatchObject({ contacts: 1, events: 1, automationRuns: 1 })
  expect(contacts[0]).toMatchObject({
    email: 'morgan@acme.com',
    firstName: 'Morgan',
    lastName: 'Lee',
    metadata: { plan: 'pro', company: 'Acme Corp' }
  })
  expect(events[0]).toMatchObject({ email: 'morgan@acme.com', name: 'purchase_completed', data: order })
  expect(automationRuns[0]).toMatchObject({ email: 'morgan@acme.com', eventName: 'purchase_completed' })
}

describe("the docs' own example: identify with an address, then track without one, starts the automation once", () => {
  beforeAll(start)
  afterAll(stop)

  it("with Segment's Node SDK", async () => {
    const analytics = new Analytics({ writeKey: key.key, host: bridge.url })
    const failed: unknown[] = []
    analytics.on('error', (error) => failed.push(error))
    analytics.identify({ userId: 'user_12345', traits: person })
    await analytics.flush()
    analytics.track({ userId: 'user_12345', event: 'purchase_completed', properties: order })
    await analytics.closeAndFlush()
    expect(failed).toEqual([])
    await expectTheStory()
  })

  it("with RudderStack's Node SDK", async () => {
    const analytics = new RudderAnalytics(key.key, { dataPlaneUrl: bridge.url, logLevel: 'error' })
    analytics.identify({ userId: 'user_12345', traits: person })
    await analytics.flush()
    analytics.track({ userId: 'user_12345', event: 'purchase_completed', properties: order })
    await analytics.flush()
    await expectTheStory()
  })

  it.each<[string, unknown[], unknown[]]>([
    ['Webhooks (Actions), one event each', [identify, track], [identify, track]],
    ['Webhooks (Actions), batched, with a null inside', [[identify, null, track]], [identify]],
    ['Extensible Webhook, batched', [[{ json: identify }, { json: track }]], [identify]],
    [
      'Webhook Audiences, batched, with extras',
      [
        [
          { ...identify, extra: 1 },
          { ...track, extra: 1 }
        ]
      ],
      [{ ...identify, extra: 1 }]
    ],
    ['any of them, sent twice', [identify, track, [identify, track]], [identify, track, identify]]
  ])('with the bodies of %s', async (_, bodies, signed) => {
    for (const [index, body] of bodies.entries()) {
      const response = await fetch(`${bridge.url}/api/segment/track`, {
        method: 'POST',
        headers: {
          'user-agent': 'Segment (Actions)',
          'content-type': 'application/json',
          authorization: `Bearer ${key.key}`,
          'x-signature': createHmac('sha1', 'wh-secret').update(JSON.stringify(signed[index])).digest('hex')
        },
        body: JSON.stringify(body)
      })
      expect(response.status).toBe(200)
    }
    await expectTheStory()
  })

  it("with the events of RudderStack's webhook, whose traits are in the context", async () => {
    const { traits, ...identity } = identify
    const rudder = [
      { ...identity, channel: 'web', context: { traits }, rudderId: 'r', request_ip: '1.1.1.1' },
      { ...track, channel: 'web', rudderId: 'r' }
    ]
    for (const body of rudder) {
      const response = await fetch(`${bridge.url}/api/rudderstack/track`, {
        method: 'POST',
        headers: { 'user-agent': 'RudderLabs', 'content-type': 'application/json', 'x-api-key': key.key },
        body: JSON.stringify(body)
      })
      expect(response.status).toBe(200)
    }
    await expectTheStory()
  })
})

describe('what a sender sets up', () => {
  beforeAll(start)
  afterAll(stop)

  async function post(path: string, key: string, body: object): Promise<number> {
    const response = await fetch(bridge.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify(body)
    })
    return response.status
  }

  it('with options in the URL reaches EmailSendX as wished', async () => {
    const options = 'listId=clx_list_newsletter_id&eventNameForm=as_sent&unknownContact=create&maxAgeHours=24'
    const events = [
      { type: 'identify', email: 'listed@acme.com' },
      { type: 'track', email: 'unheard-of@acme.com', event: 'Signed Up' },
      { type: 'track', email: 'listed@acme.com', event: 'Too Old', timestamp: '2020-01-01' }
    ]
    expect(await post(`/api/rudderstack/track?${options}`, key.key, events)).toBe(200)
    await drained()
    const { members, events: fired } = await state()
    expect(members).toMatchObject([{ listId: 'clx_list_newsletter_id', email: 'listed@acme.com' }])
    expect(fired).toMatchObject([{ name: 'Signed Up', email: 'unheard-of@acme.com' }])
    expect(await (await fetch(`${bridge.url}/metrics`)).text()).toMatch(/^bridge_dead_letters 1$/m)
  })

  it('with a key that never worked gets 401 once it has been tried', async () => {
    const wrong = 'esx_live_00000000000000000000000000000000'
    const send = () => post('/api/rudderstack/track', wrong, identify)
    expect(await send()).toBe(200)
    let status = 200
    await until(async () => (status = await send()) !== 200)
    expect(status).toBe(401)
  })

  it('with a key that worked once and is refused now is still taken in', async () => {
    expect(await post('/api/rudderstack/track', key.key, identify)).toBe(200)
    await drained()
    const revoke = (revoked: boolean) =>
      fetch(`${sandbox.url}/_sandbox/keys/${key.id}`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ revoked })
      })
    await revoke(true)
    expect(await post('/api/rudderstack/track', key.key, track)).toBe(200)
    await until(async () =>
      /^bridge_partitions_suspended 1$/m.test(await (await fetch(`${bridge.url}/metrics`)).text())
    )
    expect(await post('/api/rudderstack/track', key.key, { ...track, messageId: 'later' })).toBe(200)
  })
})

describe('what a bridge that starts or stops does', () => {
  beforeAll(start)
  afterAll(stop)

  it.each([
    [{ port: -1 }, 'port'],
    [{ apiUrl: 'ftp://x' }, 'apiUrl'],
    [{ sharedSecret: '' }, 'sharedSecret'],
    [{ store: '/nowhere/at/all.db' }, '/nowhere/at/all.db']
  ])('refuses %j in one line', async (wrong, words) => {
    const started = startBridge({ port: 0, store: ':memory:', apiUrl: sandbox.url, ...wrong })
    await expect(started).rejects.toMatchObject({ message: expect.stringMatching(/^.+$/) as string })
    await expect(started).rejects.toThrow(words)
  })

  it('names the port that is taken', async () => {
    await expect(startBridge({ port: bridge.port, store: ':memory:', apiUrl: sandbox.url })).rejects.toThrow(
      `port ${bridge.port} is in use`
    )
  })

  it('says it is ready, then refuses what comes while it stops', async () => {
    const other = await startBridge({ port: 0, store: ':memory:', apiUrl: sandbox.url, logLevel: 'silent' })
    expect((await fetch(`${other.url}/readyz`)).status).toBe(200)
    await other.close()
    await expect(fetch(`${other.url}/readyz`)).rejects.toThrow()
    await expect(other.close()).resolves.toBeUndefined()
  })
})
