import * as core from '@segment/actions-core'
import { Destination } from '@segment/actions-core'
import type { DestinationDefinition, JSONObject, SegmentEvent } from '@segment/actions-core'
import type { Settings } from '../../definitions/emailsendx/functions'
import { SANDBOX_KEY, startSandbox } from '../../src/sandbox'
import type { Sandbox, SandboxOptions } from '../../src/sandbox'

let sandbox: Sandbox
afterEach(() => sandbox.close())

const EMAIL = 'morgan@acme.com'
const PERSON = { anonymousId: 'anon_1', userId: 'user_12345', context: { library: { name: 'analytics.js' } } }
/** What a browser sends for the two calls of the product page. */
const IDENTIFY = {
  ...PERSON,
  type: 'identify',
  messageId: 'm1',
  traits: { email: EMAIL, firstName: 'Morgan', plan: 'pro' }
}
const TRACK = {
  ...PERSON,
  type: 'track',
  messageId: 'm2',
  event: 'purchase_completed',
  properties: { orderId: 'ord_1' }
}

/** A process of Segment's: a destination of its own, with nothing remembered, that runs the automatic presets. */
class Process {
  private readonly destination: Destination<Settings>
  private readonly subscriptions: { partnerAction: string; subscribe: string; mapping: JSONObject }[]

  constructor(mapping: JSONObject = {}) {
    let definition: DestinationDefinition<Settings> | undefined
    jest.isolateModules(() => {
      // It remembers nothing of ours, and takes long to load.
      jest.doMock('@segment/actions-core', () => core)
      definition = jest.requireActual<{ default: DestinationDefinition<Settings> }>(
        '../../definitions/emailsendx'
      ).default
    })
    this.destination = new Destination(definition as DestinationDefinition<Settings>)
    this.subscriptions = (definition?.presets ?? []).flatMap((preset) =>
      preset.type === 'automatic' ? [{ ...preset, mapping: { ...preset.mapping, ...mapping } }] : []
    )
  }

  /** @returns `delivered`, `left out` by the trigger, or the words of the error. */
  async take(event: object): Promise<string> {
    const settings = {
      apiKey: SANDBOX_KEY,
      apiUrl: sandbox.url,
      subscriptions: this.subscriptions
    } as unknown as JSONObject
    const timed = { timestamp: new Date().toISOString(), ...event } as SegmentEvent
    try {
      const results = await this.destination.onEvent(timed, settings)
      return results.some(({ output }) => output === 'Action Executed') ? 'delivered' : 'left out'
    } catch (error) {
      return (error as Error).message
    }
  }
}

const start = async (options: SandboxOptions = {}) => (sandbox = await startSandbox({ port: 0, ...options }))

async function morgan() {
  const response = await fetch(`${sandbox.url}/_sandbox/state?email=${encodeURIComponent(EMAIL)}`)
  if (!response.ok) return { events: [], automationRuns: [], contact: undefined }
  return (await response.json()) as { events: unknown[]; automationRuns: unknown[]; contact: object }
}

describe('the two calls of the product page, in different processes', () => {
  it.each<SandboxOptions>([
    {},
    { segmentUsers: 'metadata' },
    { segmentAnonymous: 'resolved' },
    { segmentContext: 'read' },
    { segmentUnknown: 'bad-request' },
    { segmentUnknown: 'accepted' },
    { segmentEventMatch: 'as-events' },
    { segmentArrays: 'taken' },
    { segmentRate: 'free' },
    { segmentAnswer: 'success' },
    { segmentAnswer: 'empty' },
    { eventMatch: 'normalized' }
  ])('Morgan gets her event and her automation starts, with %j', async (options) => {
    await start(options)
    expect(await new Process().take(IDENTIFY)).toBe('delivered')
    expect(await new Process().take({ ...TRACK, event: 'Purchase Completed' })).toBe('delivered')
    expect(await morgan()).toMatchObject({
      contact: { firstName: 'Morgan', metadata: { plan: 'pro' } },
      events: [{ data: { orderId: 'ord_1' } }],
      automationRuns: [{ automationName: 'Post-Purchase Flow' }]
    })
  })

  it('in one process nothing but the documented API is needed', async () => {
    await start({ segmentEndpoint: 'missing' })
    const segment = new Process()
    expect(await segment.take(IDENTIFY)).toBe('delivered')
    expect(await segment.take(TRACK)).toBe('delivered')
    expect((await morgan()).automationRuns).toHaveLength(1)
  })

  it('on a server without the endpoint the event ends in words that name the ways out', async () => {
    await start({ segmentEndpoint: 'missing' })
    await new Process().take(IDENTIFY)
    expect(await new Process().take(TRACK)).toMatch(/lacks \/api\/segment\/track.*context\.traits\.email/)
    expect(await new Process().take({ ...TRACK, context: { traits: { email: EMAIL } } })).toBe('delivered')
  })
})

describe('a user whom no identify() has named', () => {
  it.each<[SandboxOptions, RegExp]>([
    [{}, /no contact with this User ID yet/],
    [{ segmentUnknown: 'bad-request' }, /no contact with this User ID yet/],
    // Whoever answers "taken" to everything can't be told from one who has fired the event.
    [{ segmentUnknown: 'accepted' }, /^delivered$/]
  ])('with %j', async (options, result) => {
    await start(options)
    expect(await new Process().take(TRACK)).toMatch(result)
    expect((await morgan()).events).toEqual([])
  })

  it('is a contact that somebody else made: found when the endpoint knows metadata.userId', async () => {
    for (const [segmentUsers, result] of [
      ['identified', /no contact with this User ID yet/],
      ['metadata', /^delivered$/]
    ] as const) {
      await start({ segmentUsers })
      await new Process({ linkUserId: false, traits: { userId: 'user_12345' } }).take(IDENTIFY)
      expect(await new Process().take(TRACK)).toMatch(result)
      if (segmentUsers === 'identified') await sandbox.close()
    }
  })

  it('gets the event when it comes again after the identify()', async () => {
    await start()
    const segment = new Process()
    expect(await segment.take(TRACK)).toContain('will be sent again')
    await new Process().take(IDENTIFY)
    expect(await segment.take(TRACK)).toBe('delivered')
  })
})

it('anonymous visitors are left out, and cost nothing', async () => {
  await start()
  const segment = new Process()
  expect(await segment.take({ ...TRACK, userId: null })).toBe('left out')
  expect(await segment.take({ ...IDENTIFY, userId: null, traits: { plan: 'pro' } })).toBe('left out')
  const response = await fetch(`${sandbox.url}/_sandbox/state`)
  expect(((await response.json()) as { totals: { requests: number } }).totals.requests).toBe(0)
})

it('what EmailSendX is told of a user id changes nothing else of the contact', async () => {
  await start()
  await new Process({ linkUserId: false }).take(IDENTIFY)
  const before = (await morgan()).contact
  await new Process({ traits: {}, firstName: '', lastName: '' }).take(IDENTIFY)
  expect((await morgan()).contact).toEqual({ ...before, updatedAt: expect.any(String) })
})
