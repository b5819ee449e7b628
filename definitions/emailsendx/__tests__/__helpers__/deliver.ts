import { createTestEvent, createTestIntegration, defaultValues } from '@segment/actions-core'
import type { JSONObject, SegmentEvent } from '@segment/actions-core'
import nock from 'nock'
import definition from '../..'
import type { Settings } from '../../generated-types'
import { forgetContacts } from '../../memory'
import type { SegmentCall } from '../../types'

export const ORIGIN = 'https://emailsendx.com'
export const SETTINGS = { apiKey: 'esx_test_0123456789abcdef0123456789abcdef' }

/** What became of one event, in the same words for both modes. */
export interface Result {
  status: number
  code?: string
  message?: string
  /** What EmailSendX was sent and answered, where a batch tells it. */
  sent?: unknown
  body?: unknown
  reporter?: string
}

interface Options {
  settings?: Settings
  mapping?: JSONObject
  /** Fields the customer has taken out of the mapping. Segment applies defaults in its form only, not to events. */
  without?: string[]
}

type ActionName = keyof typeof definition.actions

/** Every identify runs in both modes: a rule that holds for single events holds for batches. Tracks are never batched. */
export type Mode = 'single' | 'batch'
export const MODES: readonly Mode[] = ['single', 'batch']

/** One event through an action, with the default mapping unless told otherwise. */
export async function deliver(mode: Mode, action: ActionName, event: Partial<SegmentEvent>, options: Options = {}) {
  return mode === 'batch' ? (await deliverBatch(action, [event], options))[0] : deliverSingle(action, event, options)
}

/** One event through Track Event, which takes no batches. */
export const fire = (event: Partial<SegmentEvent>, options: Options = {}) =>
  deliver('single', 'trackEvent', event, options)

export async function deliverBatch(action: ActionName, events: Partial<SegmentEvent>[], options: Options = {}) {
  const nodes = await createTestIntegration(definition).executeBatch(action, {
    events: events.map((event) => asEvent(event)),
    ...inputs(action, options)
  })
  return nodes.map(
    (node): Result =>
      'errormessage' in node
        ? {
            status: node.status,
            code: node.errortype,
            message: node.errormessage,
            sent: node.sent,
            body: node.body,
            reporter: node.errorreporter
          }
        : { status: node.status, sent: node.sent, body: node.body }
  )
}

async function deliverSingle(action: ActionName, event: Partial<SegmentEvent>, options: Options): Promise<Result> {
  try {
    await createTestIntegration(definition).testAction(action, { event: asEvent(event), ...inputs(action, options) })
    return { status: 200 }
  } catch (error) {
    const { name, status, code, message } = error as Error & { status?: number; code?: string }
    // Segment adds the status of a schema error outside of the action.
    return name === 'AggregateAjvError'
      ? { status: 400, code: 'PAYLOAD_VALIDATION_FAILED', message }
      : { status: status ?? 500, code, message }
  }
}

function inputs(action: ActionName, { settings = SETTINGS, mapping = {}, without = [] }: Options) {
  const fields = { ...defaultValues(definition.actions[action].fields), ...mapping }
  return { settings, mapping: Object.fromEntries(Object.entries(fields).filter(([key]) => !without.includes(key))) }
}

/** createTestEvent fills in a random user, which would hide what a test leaves out. */
function asEvent(event: Partial<SegmentEvent>): SegmentEvent {
  return {
    ...createTestEvent({ type: event.type }),
    userId: undefined,
    anonymousId: undefined,
    traits: undefined,
    properties: undefined,
    context: {},
    timestamp: new Date().toISOString(),
    ...event
  }
}

export function identify(traits: unknown, more: Partial<SegmentEvent> = {}): Partial<SegmentEvent> {
  return { type: 'identify', traits: traits as SegmentEvent['traits'], ...more }
}

export function track(
  event: unknown,
  email: string | undefined,
  more: Partial<SegmentEvent> = {}
): Partial<SegmentEvent> {
  return { type: 'track', event: event as string, context: { traits: { email } }, ...more }
}

interface Row {
  email: string
  firstName?: string
  lastName?: string
  metadata?: Record<string, unknown>
}

/** An EmailSendX that remembers what it was asked. It takes everything, until told otherwise. */
export class FakeApi {
  readonly requests: string[] = []
  readonly bulkCalls: Array<{ contacts: Row[]; listId?: string; consentSource?: string }> = []
  readonly events: Array<{ contactId: string; name: string; data?: unknown }> = []
  readonly created: Row[] = []
  readonly contacts = new Map<string, string>()
  /** Requests left in the minute, when it is told. */
  remaining?: number
  /** Calls that were handed over to the endpoint for Segment's webhooks. */
  readonly calls: SegmentCall[] = []
  /** Answers one: by default with what a call of that type is answered in the API, or 404 for a user id that no call told. */
  answerCall: (call: SegmentCall) => [number, unknown] = (call) => {
    const email = call.type === 'identify' ? call.traits?.email : this.emailOf(call.userId)
    const contactId = this.contacts.get(email ?? '') ?? (call.type === 'identify' ? `id of ${email}` : undefined)
    if (contactId === undefined) return [404, { error: 'No contact for this userId: identify() comes first' }]
    if (call.type === 'identify') this.contacts.set(email ?? '', contactId)
    else this.events.push({ contactId, name: call.event ?? '', data: call.properties })
    return [200, { data: { contactId } }]
  }
  /** Answers a bulk call: by default with a report that counts the refused rows without naming them. */
  answerBulk: (contacts: Row[], listId?: string) => [number, unknown] = (contacts) => [
    200,
    {
      data: {
        summary: {
          created: contacts.filter(this.takes).length,
          failed: contacts.filter((row) => !this.takes(row)).length
        },
        errors: contacts.filter((row) => !this.takes(row)).map(() => 'email is on the blocklist')
      }
    }
  ]
  takes: (row: Row) => boolean = () => true

  constructor(origin = ORIGIN) {
    nock.cleanAll()
    const api = nock(origin).persist()
    const seen = (method: string, uri: string) =>
      this.requests.push(`${method} ${uri.split('?')[0].replace('/api/v1', '')}`)
    const { requests } = this
    api.post('/api/v1/contacts/bulk').reply((uri, body) => {
      seen('POST', uri)
      const call = body as unknown as FakeApi['bulkCalls'][number]
      const { contacts, listId } = call
      this.bulkCalls.push(call)
      const [status, answer] = this.answerBulk(contacts, listId)
      return [status, answer as nock.Body, this.pace()]
    })
    api
      .get('/api/v1/contacts')
      .query(true)
      .reply((uri) => {
        seen('GET', uri)
        const search = new URLSearchParams(uri.split('?')[1]).get('search') ?? ''
        const data = [...this.contacts]
          .filter(([email]) => email.includes(search))
          .map(([email, id]) => ({ id, email }))
        return [200, { data, pagination: { page: 1, limit: 100, total: data.length, totalPages: 1 } }]
      })
    api.post('/api/v1/contacts').reply((uri, body) => {
      seen('POST', uri)
      const row = body as unknown as Row
      this.created.push(row)
      this.contacts.set(row.email, `id of ${row.email}`)
      return [201, { data: { id: `id of ${row.email}`, ...row } }]
    })
    api.post('/api/segment/track').reply((_uri, body) => {
      this.requests.push('POST /segment/track')
      const call = body as SegmentCall
      const [status, answer] = this.answerCall(call)
      this.calls.push(call)
      return [status, answer as nock.Body, this.pace()]
    })
    api.post(/\/api\/v1\/contacts\/[^/]+\/events$/).reply((uri, body) => {
      seen('POST', uri)
      requests[requests.length - 1] = 'POST /contacts/{id}/events'
      const contactId = decodeURIComponent(uri.split('/')[4])
      if (![...this.contacts.values()].includes(contactId)) return [404, { error: 'Contact not found' }]
      this.events.push({ contactId, ...(body as { name: string; data?: unknown }) })
      return [200, { data: { contactId, matchingAutomations: 1 } }]
    })
  }

  private pace(): Record<string, string> {
    if (this.remaining === undefined) return {}
    this.remaining--
    return { 'x-ratelimit-remaining': String(this.remaining) }
  }

  private emailOf(userId: string): string | undefined {
    const told = this.calls.filter((call) => call.type === 'identify' && call.userId === userId)
    return told[told.length - 1]?.traits?.email
  }

  addContact(email: string): void {
    this.contacts.set(email, `id of ${email}`)
  }
}

/** Keeps the tests of a file apart from each other and off the network. */
export function isolate(): void {
  beforeEach(() => {
    forgetContacts()
    process.env.EMAILSENDX_ALLOW_HTTP = '1'
  })
  beforeAll(() => nock.disableNetConnect())
  afterEach(() => nock.cleanAll())
  afterAll(() => nock.enableNetConnect())
}
