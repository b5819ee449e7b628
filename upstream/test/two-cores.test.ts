import { createTestEvent, createTestIntegration } from '@segment/actions-core'
import type { DestinationDefinition } from '@segment/actions-core'
import nock from 'nock'
import destination from '../src/destinations/emailsendx'

type Destination = DestinationDefinition<any>

/**
 * As actions-cli loads a destination: it empties the module cache first, so that the destination gets a core of its own. (Batches
 * can't be compared: there the core takes the results of another copy for a success of all rows. Their server shows none of them.)
 */
function loadedByTheCli(): Destination {
  jest.resetModules()
  // eslint-disable-next-line @typescript-eslint/no-var-requires -- an import would be bound before the cache is emptied
  return (require('../src/destinations/emailsendx') as { default: Destination }).default
}

const settings = { apiKey: 'esx_test_0123456789abcdef0123456789abcdef' }
const identify = createTestEvent({ type: 'identify', traits: { email: 'morgan@acme.com', plan: 'pro' } })
const track = createTestEvent({ type: 'track', event: 'Purchase Completed', properties: { email: 'morgan@acme.com' } })

const ways: Record<string, (definition: Destination) => Promise<unknown>> = {
  'an identify alone': (definition) =>
    createTestIntegration(definition).testAction('identifyContact', {
      event: identify,
      settings,
      useDefaultMappings: true
    }),
  'a track': (definition) =>
    createTestIntegration(definition).testAction('trackEvent', { event: track, settings, useDefaultMappings: true }),
  'Test Connection': (definition) => createTestIntegration(definition).testAuthentication(settings)
}

const answers: [string, (scope: nock.Interceptor) => nock.Scope][] = [
  ...[400, 401, 403, 404, 409, 413, 422, 429, 500, 501, 503].map(
    (status): [string, (scope: nock.Interceptor) => nock.Scope] => [
      String(status),
      (call) => call.reply(status, { error: `status ${status}` }, { 'Retry-After': '14' })
    ]
  ),
  ['a redirect', (call) => call.reply(302, '', { Location: 'https://elsewhere.example/' })],
  ['a page', (call) => call.reply(200, '<!doctype html>')],
  ['no connection', (call) => call.replyWithError({ code: 'ECONNREFUSED', message: 'connect ECONNREFUSED' })],
  ['nothing to complain about', (call) => call.reply(200, { data: [{ id: 'clx_morgan', email: 'morgan@acme.com' }] })]
]

async function whatComesOf(definition: Destination, way: string, answer: (scope: nock.Interceptor) => nock.Scope) {
  nock.cleanAll()
  for (const method of ['GET', 'POST']) answer(nock('https://emailsendx.com').persist().intercept(/.*/, method))
  try {
    await ways[way](definition)
    return 'delivered'
  } catch (error) {
    const { name, status, code, message } = error as Error & { status?: number; code?: string }
    return { name, status, code, message }
  }
}

describe.each(Object.keys(ways))('with a second copy of the core, %s', (way) => {
  it.each(answers)('meets %s as with one copy', async (_, answer) => {
    const inProduction = await whatComesOf(destination, way, answer)
    expect(await whatComesOf(loadedByTheCli(), way, answer)).toEqual(inProduction)
  })
})
