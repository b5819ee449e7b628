import { setTimeout as pause } from 'node:timers/promises'
import { Destination } from '@segment/actions-core'
import definition from '../../../definitions/emailsendx'
import { forgetContacts } from '../../../definitions/emailsendx/functions'
import { startBridge } from '../../../src/bridge'
import { SANDBOX_KEY, startSandbox } from '../../../src/sandbox'

/** A call of a library, with what makes it unique. */
export type Call = Record<string, unknown>

/** What EmailSendX knows at the end, without what depends on the minute. Events oldest first. */
export interface Known {
  contacts: unknown[]
  events: unknown[]
}

/** As Segment: an event that fails for now comes again after the others. */
async function throughCatalog(calls: Call[], apiUrl: string, beforeEach: () => void): Promise<void> {
  const destination = new Destination(definition)
  const subscriptions = (definition.presets ?? []).filter(({ type }) => type === 'automatic')
  const settings = { apiKey: SANDBOX_KEY, apiUrl, subscriptions }
  const again: Call[] = []
  const deliver = async (call: Call): Promise<void> => {
    beforeEach()
    await destination.onEvent(call as never, settings as never).catch(({ status }: { status?: number }) => {
      if (status !== undefined && status >= 500) again.push(call)
    })
  }
  for (const call of calls) await deliver(call)
  for (const call of again.splice(0)) await deliver(call)
}

/** @param waits how many events the bridge still keeps when all is done that can be done */
async function throughBridge(calls: Call[], apiUrl: string, waits: number): Promise<void> {
  const bridge = await startBridge({ port: 0, store: ':memory:', apiUrl, logLevel: 'silent' })
  const headers = { authorization: `Bearer ${SANDBOX_KEY}` }
  const url = `${bridge.url}/api/segment/track`
  for (const call of calls) await fetch(url, { method: 'POST', headers, body: JSON.stringify(call) })
  const isQuiet = async () => {
    const metrics = await (await fetch(`${bridge.url}/metrics`)).text()
    return ['events', 'events_deferred'].every((name) => metrics.includes(`\nbridge_store_${name} ${waits}\n`))
  }
  while (!(await isQuiet())) await pause(20)
  await bridge.close()
}

/** The ways for events to EmailSendX. */
const WAYS = {
  'the catalog, one process': (calls: Call[], apiUrl: string) => throughCatalog(calls, apiUrl, () => undefined),
  'the catalog, a process for each event': (calls: Call[], apiUrl: string) =>
    throughCatalog(calls, apiUrl, forgetContacts),
  'the bridge': throughBridge
}
export type Way = keyof typeof WAYS
export const ways = Object.keys(WAYS) as Way[]

/** What a new EmailSendX knows when the calls have come to it in this way. */
export async function send(way: Way, calls: Call[], waits: number): Promise<Known> {
  forgetContacts()
  // The bridge finds users by itself.
  const sandbox = await startSandbox({ port: 0, segmentEndpoint: way === 'the bridge' ? 'missing' : 'available' })
  try {
    await WAYS[way](calls, sandbox.url, waits)
    const state = (await (await fetch(`${sandbox.url}/_sandbox/state`)).json()) as Record<keyof Known, Call[]>
    return {
      contacts: state.contacts.map(({ email, firstName, lastName, metadata }) => ({
        email,
        firstName,
        lastName,
        metadata
      })),
      events: state.events.map(({ email, name, data }) => ({ email, name, data })).reverse()
    }
  } finally {
    await sandbox.close()
  }
}
