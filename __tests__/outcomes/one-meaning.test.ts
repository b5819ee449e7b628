import { createTestEvent, defaultValues, Destination } from '@segment/actions-core'
import type { JSONObject, SegmentEvent } from '@segment/actions-core'
import definition from '../../definitions/emailsendx'
import { forgetContacts } from '../../definitions/emailsendx/functions'
import { Rig } from '../../src/bridge/delivery/__tests__/__helpers__/rig'
import { normalize } from '../../src/bridge/ingest/normalize'
import type { Normalized } from '../../src/bridge/ingest/normalize'
import { buildApp } from '../../src/serve/app'
import type { EventStatus } from '../../src/serve/contract/errors'
import type { CallResult } from '../../src/serve/contract/route'
import type { Plan } from '../../src/serve/tester/plan'
import { meaningOf as shownAs } from '../../src/tester-web/model/meaning'

/*
 * One event means one thing: through the catalog's action alone, through its batch, through the bridge, and on the tester page.
 * Where that can't be, the table says why.
 */

/**
 * What becomes of an event: `again` is later, by itself; `dropped` is never; `key` is when the key is mended; `untaken` is never,
 * since no action's trigger takes it.
 */
type Meaning = 'delivered' | 'dropped' | 'again' | 'key' | 'untaken'

const WAYS = ['catalog', 'batch', 'bridge', 'page'] as const
type Way = (typeof WAYS)[number]

interface Case {
  name: string
  event: Partial<SegmentEvent> & { email?: unknown }
  /** What EmailSendX answers to the call that matters; absent: what the sandbox does. */
  fault?: object
  means: Meaning
  /** Where it must differ. */
  but?: { way: Way; means: Meaning; why: string }[]
}

const morgan = { userId: 'user_12345', traits: { email: 'morgan@acme.com' } }
const identify = { type: 'identify' as const, ...morgan }
const track = {
  type: 'track' as const,
  event: 'Purchase Completed',
  userId: 'user_12345',
  context: { traits: { email: 'morgan@acme.com' } },
  properties: { amount: 99 }
}
/** Not `as const`: traits come from anywhere. */
const odd = (value: unknown) => value as string

const answers: [status: number | 'garbage' | 'drop', means: Meaning][] = [
  [400, 'dropped'],
  [401, 'key'],
  [403, 'key'],
  [408, 'again'],
  [409, 'again'],
  [413, 'dropped'],
  [418, 'dropped'],
  [422, 'dropped'],
  [425, 'again'],
  [429, 'again'],
  [500, 'again'],
  [501, 'dropped'],
  [502, 'again'],
  [503, 'again'],
  [504, 'again'],
  ['garbage', 'again'],
  ['drop', 'again']
]
const faultOf = (status: number | string, path: string) => ({
  ...(typeof status === 'number' ? { kind: 'status', status } : { kind: status }),
  path,
  times: 'always'
})

const CASES: Case[] = [
  ...answers.map(([status, means]): Case => {
    return { name: `identify, ${status}`, event: identify, fault: faultOf(status, '/api/v1/contacts/bulk'), means }
  }),
  ...answers.map(([status, means]): Case => {
    return { name: `track, ${status}`, event: track, fault: faultOf(status, '/api/v1/contacts/*/events'), means }
  }),
  { name: 'an identify', event: identify, means: 'delivered' },
  { name: 'a track', event: track, means: 'delivered' },
  {
    name: 'an address in the context',
    event: { type: 'identify', traits: {}, context: { traits: { email: 'morgan@acme.com' } } },
    means: 'delivered'
  },
  {
    name: 'an address for a user id',
    event: { type: 'identify', userId: 'morgan@acme.com', traits: {} },
    means: 'delivered'
  },
  { name: 'what is no address', event: { ...identify, traits: { email: 'morgan' } }, means: 'dropped' },
  {
    name: 'what is no address, beside a user id that is one',
    event: { type: 'identify', userId: 'morgan@acme.com', traits: { email: 'x' } },
    means: 'dropped'
  },
  {
    name: 'a track to what is no address',
    event: { ...track, context: { traits: { email: 'a@b' } } },
    means: 'dropped'
  },
  {
    name: 'blank instead of an address, beside a user id that is one',
    event: { type: 'identify', userId: 'morgan@acme.com', traits: { email: odd('') } },
    means: 'delivered'
  },
  { name: 'a track without a name', event: { ...track, event: ' ' }, means: 'dropped' },
  {
    name: 'an address at the root',
    event: { type: 'identify', email: 'morgan@acme.com', traits: {} },
    means: 'delivered',
    but: [
      {
        way: 'catalog',
        means: 'dropped',
        why: "only Segment's Event Tester for webhooks puts it there; a mapping says what it means"
      },
      { way: 'batch', means: 'dropped', why: 'as above' },
      {
        way: 'page',
        means: 'untaken',
        why: 'it asks the triggers first, as Segment does; the two ways above call the action'
      }
    ]
  },
  {
    name: 'a track of somebody who is no contact',
    event: { ...track, context: { traits: { email: 'nobody@acme.com' } } },
    means: 'again'
  }
]

jest.setTimeout(20_000)
let rig: Rig
let page: string
const serve = buildApp({ definition, directoryName: 'emailsendx' })
beforeAll(async () => {
  page = await serve.listen({ host: '127.0.0.1', port: 0 })
  rig = await Rig.start()
})
afterAll(async () => {
  await rig.end()
  await serve.close()
})

describe.each(WAYS)('through the %s', (way) => {
  beforeEach(async () => {
    forgetContacts()
    await rig.renew()
    await fetch(`${rig.sandbox.url}/api/v1/contacts`, {
      method: 'POST',
      headers: { authorization: `Bearer ${rig.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'morgan@acme.com' })
    })
  })

  const cases = CASES.filter(({ event }) => way !== 'batch' || event.type === 'identify')
  it.each(cases.map((one) => [one.name, one] as const))('%s', async (_, { event, fault, means, but = [] }) => {
    if (fault) await rig.fault(fault)
    const expected = but.find((difference) => difference.way === way)?.means ?? means
    expect(
      await meaningThrough(
        way,
        createTestEvent({
          timestamp: new Date().toISOString(),
          context: {},
          ...EMPTY,
          ...event
        })
      )
    ).toBe(expected)
  })
})

/** A test event of the core brings traits and ids of its own. */
const EMPTY = { userId: undefined, anonymousId: undefined, traits: undefined, properties: undefined }

async function meaningThrough(way: Way, event: SegmentEvent): Promise<Meaning> {
  if (way === 'bridge') return throughBridge(event)
  if (way === 'page') return throughPage(event)
  const destination = new Destination(definition)
  const name = event.type === 'identify' ? 'identifyContact' : 'trackEvent'
  const mapping = defaultValues(definition.actions[name].fields) as JSONObject
  const settings = { apiKey: rig.apiKey, apiUrl: rig.sandbox.url }
  if (way === 'batch') {
    const [{ status }] = await destination.executeBatch(name, { events: [event], mapping, settings })
    return meaningOf(status)
  }
  try {
    const data = event as unknown as Parameters<(typeof destination.actions)[string]['execute']>[0]['data']
    await destination.actions[name].execute({ data, mapping, settings, auth: undefined })
    return 'delivered'
  } catch (error) {
    return meaningOf((error as { status?: number }).status ?? 400)
  }
}

/** What Segment does with a status: it sends again after 408, 429 and 5xx but 501. */
function meaningOf(status: number): Meaning {
  if (status >= 200 && status < 300) return 'delivered'
  if (status === 401 || status === 403) return 'key'
  return status === 408 || status === 429 || (status >= 500 && status !== 501) ? 'again' : 'dropped'
}

async function throughBridge(event: SegmentEvent): Promise<Meaning> {
  const taken: Normalized = { events: [], rejected: [], ignored: 0 }
  normalize(JSON.parse(JSON.stringify(event)), { options: {}, receivedAt: new Date(rig.now) }, taken)
  await rig.queue.enqueue({ apiKey: rig.apiKey }, taken)
  await rig.quiet()
  const [{ events, deadLetters, suspended }] = await rig.queue.partitions.list({ apiKey: rig.apiKey })
  if (suspended) return 'key'
  if (deadLetters > 0) return 'dropped'
  return events > 0 ? 'again' : 'delivered'
}

/** As the page does on *Send*: it asks which actions take the event, and calls them. */
async function throughPage(event: SegmentEvent): Promise<Meaning> {
  const { calls } = await askPage<Plan>('plan', { events: [event], triggers: {}, batch: false })
  if (calls.length === 0) return 'untaken'
  expect(calls).toHaveLength(1)
  const [{ action, subscribe }] = calls
  const mapping = defaultValues(definition.actions[action].fields)
  const settings = { apiKey: rig.apiKey, apiUrl: rig.sandbox.url }
  const body = { payload: event, settings, mapping, subscribe }
  const { multistatus, exchanges } = await askPage<Pick<CallResult, 'multistatus' | 'exchanges'>>(
    `send/${action}`,
    body
  )
  expect(multistatus).toHaveLength(1)
  const [row] = multistatus
  // Else the page goes by the status, as it must for what core refuses and for other destinations.
  if (exchanges.length > 0) expect(row).toHaveProperty('outcome.kind')
  return meaningOfRow(row)
}

/** What the page shows for a row. */
function meaningOfRow(row: EventStatus): Meaning {
  const { tone } = shownAs(row)
  if (tone === 'delivered') return 'delivered'
  // Where nobody knows whether it was fired, Segment sends it again too.
  if (tone === 'again' || tone === 'unsure') return 'again'
  expect(tone).toBe('refused')
  const kind = row.outcome?.kind
  return kind === 'unauthorized' || kind === 'forbidden' ? 'key' : 'dropped'
}

async function askPage<Answer>(path: string, body: object): Promise<Answer> {
  const response = await fetch(`${page}/tester/${path}`, {
    method: 'POST',
    headers: { origin: page, 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  expect(response.status).toBe(200)
  return (await response.json()) as Answer
}
