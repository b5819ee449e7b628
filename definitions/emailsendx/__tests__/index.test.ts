import { createTestEvent, createTestIntegration, Destination } from '@segment/actions-core'
import nock from 'nock'
import definition from '..'
import { isolate, ORIGIN, SETTINGS } from './__helpers__/deliver'

isolate()

const testDestination = () => createTestIntegration(definition)
const actions = Object.entries(definition.actions)
const allFields = actions.flatMap(([action, { fields }]) =>
  Object.entries(fields).map(([key, field]) => [`${action}.${key}`, field] as const)
)

describe('the definition', () => {
  it('has titles of its own for every action, since schemas are cached by title', () => {
    const titles = actions.map(([, { title }]) => title)
    expect(new Set(titles).size).toBe(titles.length)
    expect(titles).toEqual(['Identify Contact', 'Track Event'])
  })

  it('has a subscription, a description and perform for every action', () => {
    for (const [, action] of actions) {
      expect(action.defaultSubscription).toMatch(/^type = "(identify|track)" and /)
      expect(action.description).toMatch(/\.$/)
      expect(typeof action.perform).toBe('function')
    }
  })

  it.each(allFields)('explains %s in a whole sentence', (_name, { label, description }) => {
    expect(label).toMatch(/^[A-Z]/)
    expect(description).toMatch(/^[A-Z].*\.$/s)
  })

  it('enforces the size of batches: only for numbers with a minimum above 0 Segment does', () => {
    const { type, minimum, maximum, default: size } = definition.actions.identifyContact.fields.batch_size
    expect(type).toBe('number')
    expect(minimum).toBeGreaterThan(0)
    expect(maximum).toBeLessThanOrEqual(1000)
    expect(size).toBe(500)
  })

  it('batches identifies, and never tracks: each would be a request of its own', () => {
    const { identifyContact, trackEvent } = definition.actions
    expect(identifyContact.fields.enable_batching.default).toBe(true)
    expect(typeof identifyContact.performBatch).toBe('function')
    expect(trackEvent.performBatch).toBeUndefined()
    expect(Object.keys(trackEvent.fields)).not.toContain('enable_batching')
  })

  it('names at most three existing fields as batch keys', () => {
    const { batch_keys, ...others } = definition.actions.identifyContact.fields
    const keys = batch_keys?.default ?? []
    expect(keys.length).toBeLessThanOrEqual(3)
    keys.forEach((key) => expect(others).toHaveProperty(key))
  })

  it('keeps the key secret, and asks for nothing else', () => {
    const { apiKey, ...others } = definition.authentication?.fields ?? {}
    expect(apiKey).toMatchObject({ type: 'password', required: true })
    Object.values(others).forEach(({ required }) => expect(required).toBeFalsy())
  })

  it('does not claim to delete contacts: the API documents no call for it', () => {
    expect(definition.onDelete).toBeUndefined()
  })
})

describe('presets', () => {
  const presets = definition.presets ?? []

  it('cover both actions automatically', () => {
    expect(presets.filter(({ type }) => type === 'automatic').map(({ partnerAction }) => partnerAction)).toEqual([
      'identifyContact',
      'trackEvent'
    ])
  })

  it.each(presets.map((preset) => [preset.name, preset] as const))(
    '%s delivers the event it is for',
    async (_name, preset) => {
      nock(ORIGIN).persist().post('/api/v1/contacts/bulk').reply(200, {})
      nock(ORIGIN)
        .persist()
        .get('/api/v1/contacts')
        .query(true)
        .reply(200, { data: [{ id: 'c1', email: 'a@b.co' }] })
      nock(ORIGIN).persist().post('/api/v1/contacts/c1/events').reply(200, {})
      const type = preset.partnerAction === 'identifyContact' ? 'identify' : 'track'
      const event = createTestEvent({
        type,
        event: 'Some Event',
        traits: { email: 'a@b.co' },
        context: { traits: { email: 'a@b.co' } }
      })
      const subscribe = preset.type === 'automatic' ? preset.subscribe : `type = "${type}"`
      const results = await new Destination(definition).onEvent(event, {
        ...SETTINGS,
        subscriptions: [{ partnerAction: preset.partnerAction, subscribe, mapping: preset.mapping ?? {} }]
      })
      expect(results).toContainEqual(expect.objectContaining({ output: 'Action Executed' }))
    }
  )

  it.each(presets.map((preset) => [preset.name, preset] as const))(
    '%s maps only fields the action has',
    (_name, preset) => {
      const { fields } = definition.actions[preset.partnerAction]
      Object.keys(preset.mapping ?? {}).forEach((key) => expect(fields).toHaveProperty(key))
    }
  )
})

describe('testing the connection', () => {
  const test = (settings = {}) => testDestination().testAuthentication({ ...SETTINGS, ...settings })
  const whoami = () => nock(ORIGIN).get('/api/v1/whoami').matchHeader('authorization', `Bearer ${SETTINGS.apiKey}`)

  it('asks whose key it is', async () => {
    const call = whoami().reply(200, { data: { workspaceName: 'Acme' } })
    await expect(test()).resolves.toBeUndefined()
    call.done()
  })

  it('asks for a contact where the server has no whoami', async () => {
    whoami().reply(404, '<html>Not found</html>')
    const call = nock(ORIGIN).get('/api/v1/contacts').query({ limit: 1 }).reply(200, { data: [] })
    await expect(test()).resolves.toBeUndefined()
    call.done()
  })

  it.each([
    [
      401,
      { error: 'Invalid API key' },
      /Credentials are invalid: .*refused the API key.*Settings → API.*Invalid API key/
    ],
    [403, { error: 'No' }, /lacks/],
    [429, { error: 'Slow down' }, /limit of requests/],
    [500, '<html>', /problem of its own \(500\)/]
  ])('fails on %i with words to act on', async (status, body, words) => {
    whoami().reply(status, body)
    await expect(test()).rejects.toThrow(words)
  })

  it.each([200, 204])('a %i without anything EmailSendX says is not EmailSendX', async (status) => {
    const words = `${ORIGIN} answered ${status}, but not with the JSON of EmailSendX's API`
    whoami().reply(status, status === 200 ? {} : '')
    await expect(test()).rejects.toThrow(words)
    whoami().reply(404)
    nock(ORIGIN).get('/api/v1/contacts').query(true).reply(status, {})
    await expect(test()).rejects.toThrow(words)
  })

  it('speaks of no event, and of no scope it does not know', async () => {
    whoami().reply(500, {})
    await expect(test()).rejects.toThrow(/a problem of its own \(500\)\.$/)
    whoami().reply(403, {})
    await expect(test()).rejects.toThrow(/lacks a scope.*or use another key\.$/)
    whoami().reply(404)
    nock(ORIGIN).get('/api/v1/contacts').query(true).reply(403, {})
    await expect(test()).rejects.toThrow(/lacks the contacts:read scope/)
  })

  it('fails when nothing answers', async () => {
    whoami().replyWithError({ code: 'ENOTFOUND' })
    await expect(test()).rejects.toThrow(/can't be reached \(ENOTFOUND\)/)
  })

  it('fails without a key', async () => {
    await expect(test({ apiKey: undefined })).rejects.toThrow(/apiKey/)
    await expect(test({ apiKey: ' ' })).rejects.toThrow(/API Key setting is empty/)
  })

  it('fails for an API URL that would leak the key', async () => {
    await expect(test({ apiUrl: 'http://emailsendx.example.com' })).rejects.toThrow(/must start with https/)
  })

  it.each([
    ['an object', { data: { id: 'l1', name: 'News' } }],
    ['an array', { data: [{ id: 'l1', name: 'News' }] }],
    ['bare', { id: 'l1', name: 'News' }]
  ])('finds the default list in an answer that is %s', async (_shape, body) => {
    whoami().reply(200, { data: {} })
    const call = nock(ORIGIN).get('/api/v1/lists').query({ id: 'l1' }).reply(200, body)
    await expect(test({ defaultListId: ' l1 ' })).resolves.toBeUndefined()
    call.done()
  })

  it.each([
    ['a 404', 404, { error: 'List not found' }],
    ['an empty page', 200, { data: [] }],
    ['other lists', 200, { data: [{ id: 'l2', name: 'Other' }] }]
  ])('fails when the default list is not there (%s)', async (_name, status, body) => {
    whoami().reply(200, { data: {} })
    nock(ORIGIN).get('/api/v1/lists').query(true).reply(status, body)
    const words = /The list "l1" does not exist .*Default List ID setting\.( EmailSendX says: List not found)?$/
    await expect(test({ defaultListId: 'l1' })).rejects.toThrow(words)
  })

  it('says so when the key may not read lists', async () => {
    whoami().reply(200, { data: {} })
    nock(ORIGIN).get('/api/v1/lists').query(true).reply(403, { error: 'No' })
    await expect(test({ defaultListId: 'l1' })).rejects.toThrow(/lists:read/)
  })

  it('asks for no list when the default is none', async () => {
    whoami().reply(200, { data: {} })
    await expect(test({ defaultListId: 'none' })).resolves.toBeUndefined()
  })
})
