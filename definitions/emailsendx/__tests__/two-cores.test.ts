import * as core from '@segment/actions-core'
import type { DestinationDefinition } from '@segment/actions-core'
import nock from 'nock'
import type { Settings } from '../generated-types'
import { isolate, ORIGIN, SETTINGS } from './__helpers__/deliver'

isolate()

/*
 * Segment's CLI empties require.cache before it loads a destination, so that the destination's actions-core is not the one
 * that makes the requests and throws their errors.
 */
let definition: DestinationDefinition<Settings>
jest.isolateModules(() => {
  const theirs = jest.requireActual<typeof core>('@segment/actions-core')
  if (theirs.HTTPError === core.HTTPError) throw new Error('This test needs two copies of the core.')
  definition = jest.requireActual<{ default: DestinationDefinition<Settings> }>('..').default
})

const EMAIL = 'morgan@acme.com'

async function single(action: 'identifyContact' | 'trackEvent') {
  const { fields } = definition.actions[action]
  const event = core.createTestEvent({
    type: action === 'trackEvent' ? 'track' : 'identify',
    event: 'e',
    traits: { email: EMAIL },
    context: { traits: { email: EMAIL } }
  })
  const run = core.createTestIntegration(definition).testAction(action, {
    event,
    mapping: core.defaultValues(fields),
    settings: SETTINGS
  })
  return run.then(
    () => ({ status: 200 }),
    ({ status, code, message }: { status: number; code: string; message: string }) => ({ status, code, message })
  )
}

it.each([
  [400, { status: 400, code: 'PAYLOAD_VALIDATION_FAILED' }],
  [401, { status: 401, code: 'INVALID_AUTHENTICATION' }],
  [403, { status: 403, code: 'FORBIDDEN' }],
  [404, { status: 404, code: 'NOT_FOUND' }],
  [413, { status: 413, code: 'PAYLOAD_TOO_LARGE' }],
  [429, { status: 429, code: 'RETRYABLE_ERROR' }],
  [503, { status: 503, code: 'RETRYABLE_ERROR' }],
  [302, { status: 400, code: 'BAD_REQUEST' }]
])('a %i means the same with two copies of the core', async (status, expected) => {
  nock(ORIGIN).post('/api/v1/contacts/bulk').reply(status, { error: 'No' })
  nock(ORIGIN).get('/api/v1/contacts').query(true).reply(status, { error: 'No' })
  for (const action of ['identifyContact', 'trackEvent'] as const) {
    const result = await single(action)
    expect(result).toMatchObject(expected)
    expect(result).not.toMatchObject({ message: expect.stringContaining("can't be reached") })
  }
})

it('a refused key is refused without a request', async () => {
  nock(ORIGIN).post('/api/v1/contacts/bulk').reply(200, {})
  await expect(
    core.createTestIntegration(definition).testAuthentication({ apiKey: ' ', apiUrl: ORIGIN })
  ).rejects.toThrow(/API Key setting is empty/)
})

it('a contact that is gone is looked up again after a 404', async () => {
  const search = (id: string) =>
    nock(ORIGIN)
      .get('/api/v1/contacts')
      .query(true)
      .reply(200, { data: [{ id, email: EMAIL }] })
  search('old')
  nock(ORIGIN).post('/api/v1/contacts/old/events').reply(200, {})
  expect(await single('trackEvent')).toEqual({ status: 200 })
  nock(ORIGIN).post('/api/v1/contacts/old/events').reply(404, { error: 'Contact not found' })
  search('new')
  nock(ORIGIN).post('/api/v1/contacts/new/events').reply(200, {})
  expect(await single('trackEvent')).toEqual({ status: 200 })
  expect(nock.pendingMocks()).toEqual([])
})

it('a server without whoami is tested with a contact', async () => {
  nock(ORIGIN).get('/api/v1/whoami').reply(404, '<html>')
  nock(ORIGIN).get('/api/v1/contacts').query({ limit: 1 }).reply(200, { data: [] })
  await expect(core.createTestIntegration(definition).testAuthentication(SETTINGS)).resolves.toBeUndefined()
})
