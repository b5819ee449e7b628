import { SANDBOX_KEY } from '..'
import { endSandboxes, start, type Running } from './__helpers__/running'

afterEach(endSandboxes)

const fault = ({ control }: Running, body: object) => control('/faults', { body })

it('answers the next n matching requests with a status', async () => {
  const sandbox = await start()
  const { api, control } = sandbox
  await fault(sandbox, { kind: 'status', status: 503, times: 2, method: 'GET', path: '/api/v1/lists' })
  expect((await api('/whoami')).status).toBe(200)
  expect((await api('/lists', { body: { name: 'x' } })).status).toBe(201)
  expect(await api('/lists?page=1')).toMatchObject({ status: 503, body: { error: expect.stringContaining('503') } })
  expect((await control('/faults')).body.faults).toEqual([expect.objectContaining({ times: 1, status: 503 })])
  expect((await api('/lists')).status).toBe(503)
  expect((await api('/lists')).status).toBe(200)
  expect((await control('/faults')).body.faults).toEqual([])
})

it('has no effect on data unless it is told to be applied', async () => {
  const sandbox = await start()
  const { api, state } = sandbox
  const upsert = () => api('/contacts', { body: { email: 'a@x.io' } })
  await fault(sandbox, { kind: 'status', status: 500 })
  expect(await upsert()).toMatchObject({ status: 500, body: { error: 'Internal server error' } })
  await fault(sandbox, { kind: 'garbage' })
  await expect(upsert()).rejects.toThrow(SyntaxError)
  await fault(sandbox, { kind: 'drop' })
  await expect(upsert()).rejects.toThrow()
  expect((await state()).totals.contacts).toBe(0)
  await fault(sandbox, { kind: 'status', status: 504, applied: true, body: '<h1>Gateway</h1>' })
  expect(await upsert()).toMatchObject({ status: 504, body: '<h1>Gateway</h1>' })
  expect((await state()).totals.contacts).toBe(1)
})

it('loses an answer after the effect', async () => {
  const sandbox = await start()
  const { api, contact, state } = sandbox
  const id = await contact('a@x.io')
  await fault(sandbox, { kind: 'drop', applied: true, path: '/api/v1/contacts/*/events' })
  await expect(api(`/contacts/${id}/events`, { body: { name: 'purchase_completed' } })).rejects.toThrow()
  const { totals, requests } = await state()
  expect(totals).toMatchObject({ events: 1, automationRuns: 1 })
  expect(requests).toContainEqual({ route: 'POST /api/v1/contacts/:id/events', count: 1, answers: { dropped: 1 } })
})

it('sends the body and headers it is given, and those of the documentation otherwise', async () => {
  const sandbox = await start()
  const { api } = sandbox
  await fault(sandbox, { kind: 'status', status: 429 })
  const plain = await api('/lists')
  expect(plain).toMatchObject({ status: 429, body: { error: 'Rate limit exceeded. Retry after 1 seconds.' } })
  expect([plain.headers.get('retry-after'), plain.headers.get('x-ratelimit-remaining')]).toEqual(['1', '0'])
  await fault(sandbox, { kind: 'status', status: 429, headers: { 'retry-after': '14' } })
  const given = await api('/lists')
  expect(given.body).toEqual({ error: 'Rate limit exceeded. Retry after 14 seconds.' })
  expect(given.headers.get('retry-after')).toBe('14')
  await fault(sandbox, { kind: 'status', status: 400, body: { message: 'other shape' }, headers: { 'X-Own': 'yes' } })
  const own = await api('/lists')
  expect(own).toMatchObject({ status: 400, body: { message: 'other shape' } })
  expect(own.headers.get('x-own')).toBe('yes')
  expect(own.headers.get('x-ratelimit-remaining')).toBe('119')
  await fault(sandbox, { kind: 'status', status: 204 })
  expect(await api('/lists')).toMatchObject({ status: 204, body: '' })
  await fault(sandbox, { kind: 'status', status: 200, body: '' })
  expect(await api('/lists')).toMatchObject({ status: 200, body: '' })
  await fault(sandbox, { kind: 'status', status: 502, body: null })
  expect(await api('/lists')).toMatchObject({ status: 502, body: null })
})

it('sends garbage that claims to be JSON', async () => {
  const sandbox = await start()
  await fault(sandbox, { kind: 'garbage', applied: true })
  await expect(sandbox.contact('a@x.io')).rejects.toThrow(SyntaxError)
  expect((await sandbox.state()).totals.contacts).toBe(1)
})

it('delays before or after the effect', async () => {
  const sandbox = await start()
  const { api, control, state, url } = sandbox
  const upsert = (email: string, signal?: AbortSignal) =>
    fetch(`${url}/api/v1/contacts`, {
      method: 'POST',
      signal,
      headers: { 'x-api-key': SANDBOX_KEY, 'Content-Type': 'application/json' },
      body: JSON.stringify({ email })
    })
  await fault(sandbox, { kind: 'delay', delayMs: 60 })
  const before = Date.now()
  expect((await upsert('a@x.io')).status).toBe(201)
  expect(Date.now() - before).toBeGreaterThanOrEqual(55)
  await fault(sandbox, { kind: 'delay', delayMs: 60_000, applied: true })
  await expect(upsert('b@x.io', AbortSignal.timeout(100))).rejects.toThrow()
  expect((await state()).totals.contacts).toBe(2)
  await fault(sandbox, { kind: 'delay', delayMs: 60_000 })
  await expect(upsert('c@x.io', AbortSignal.timeout(100))).rejects.toThrow()
  expect((await state()).totals.contacts).toBe(2)
  expect((await control('/faults')).body.faults).toEqual([])
  expect((await api('/lists')).status).toBe(200)
})

it('matches by key, by its secret or its id, valid or not', async () => {
  const sandbox = await start()
  const { api, control, keyWith } = sandbox
  const secret = await keyWith('lists:read')
  await fault(sandbox, { kind: 'status', status: 500, key: 'key_default', times: 'always' })
  await fault(sandbox, { kind: 'status', status: 502, key: secret })
  expect((await api('/lists')).status).toBe(500)
  expect((await api('/lists', { key: secret })).status).toBe(502)
  expect((await api('/lists', { key: secret })).status).toBe(200)
  expect((await api('/lists')).status).toBe(500)
  expect((await api('/lists', { key: null })).status).toBe(401)
  await control('/keys/key_default', { method: 'PATCH', body: { revoked: true } })
  expect((await api('/lists')).status).toBe(500)
})

it.each([
  ['/api/v1/contacts', ['/contacts'], ['/contacts/bulk', '/lists']],
  ['/api/v1/contacts/*', ['/contacts/bulk'], ['/contacts', '/contacts/x/events']],
  ['/api/v1/contacts/**', ['/contacts/bulk', '/contacts/x/events'], ['/contacts', '/lists']],
  ['/api/v1/*/*/events', ['/contacts/x/events'], ['/contacts/bulk', '/lists']],
  ['/api/v1/**', ['/contacts', '/lists', '/contacts/x/events'], []]
])('matches the path %s', async (path, met, spared) => {
  const sandbox = await start()
  await fault(sandbox, { kind: 'status', status: 599, path, times: 'always' })
  const status = async (path: string) => {
    const method = /bulk|events/.test(path) ? 'POST' : 'GET'
    return (await sandbox.api(path, { method })).status
  }
  for (const one of met) expect([one, await status(one)]).toEqual([one, 599])
  for (const one of spared) expect([one, await status(one)]).not.toEqual([one, 599])
})

it('refuses single contacts in upserts', async () => {
  const sandbox = await start()
  const { api, control } = sandbox
  const { body } = await fault(sandbox, {
    kind: 'refuse-contact',
    email: ' Bad@X.io ',
    message: 'address is on a block list'
  })
  const contacts = [{ email: 'good@x.io' }, { email: 'BAD@x.io' }]
  for (const summary of [
    { created: 1, failed: 1 },
    { updated: 1, failed: 1 }
  ]) {
    const { body } = await api('/contacts/bulk', { body: { contacts } })
    expect(body.data).toMatchObject({ summary, errors: [{ message: 'address is on a block list' }] })
  }
  expect(await api('/contacts', { body: { email: 'bad@x.io' } })).toMatchObject({
    status: 400,
    body: { error: 'address is on a block list' }
  })
  expect((await control(`/faults/${body.id}`, { method: 'DELETE' })).status).toBe(204)
  expect((await api('/contacts', { body: { email: 'bad@x.io' } })).status).toBe(201)
  expect((await control(`/faults/${body.id}`, { method: 'DELETE' })).status).toBe(404)
})

it('is taken back all at once', async () => {
  const sandbox = await start()
  for (const status of [500, 501]) await fault(sandbox, { kind: 'status', status, times: 9 })
  await sandbox.control('/faults', { method: 'DELETE' })
  expect((await sandbox.api('/lists')).status).toBe(200)
})

it('does not use up the window with an injected 429, but with every other answer', async () => {
  const sandbox = await start()
  await fault(sandbox, { kind: 'status', status: 429 })
  await sandbox.api('/lists')
  await fault(sandbox, { kind: 'status', status: 500 })
  await sandbox.api('/lists')
  expect((await sandbox.state()).keys[0].window.used).toBe(1)
})

it.each([
  [undefined, 'body is required'],
  [{}, 'kind must be one of status, garbage, drop, delay, refuse-contact'],
  [{ kind: 'explode' }, 'kind must be one of status, garbage, drop, delay, refuse-contact'],
  [{ kind: 'status' }, 'status is required'],
  [{ kind: 'status', status: 100 }, 'status must be at least 200'],
  [{ kind: 'status', status: 600 }, 'status must be at most 599'],
  [{ kind: 'status', status: 500, headers: { 'a b': 'c' } }, 'headers.a b is no header name'],
  [{ kind: 'status', status: 500, headers: { a: 'c\n' } }, 'headers.a must be printable ASCII'],
  [
    { kind: 'status', status: 500, headers: { 'Content-Length': '1' } },
    'headers.Content-Length cannot be set by a fault'
  ],
  [{ kind: 'drop', times: 0 }, 'times must be at least 1'],
  [{ kind: 'drop', path: '/contacts' }, 'path must start with /api/ and have no query, e.g. /api/v1/contacts/*/events'],
  [{ kind: 'drop', method: 'get' }, 'method must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'],
  [{ kind: 'drop', after: 1 }, 'body has a field that does not exist here: after'],
  [{ kind: 'delay' }, 'delayMs is required'],
  [{ kind: 'delay', delayMs: 1e9 }, 'delayMs must be at most 600000'],
  [{ kind: 'refuse-contact' }, 'email is required']
])('refuses %j: %s', async (body, error) => {
  const { control } = await start()
  expect(await control('/faults', { method: 'POST', body })).toMatchObject({ status: 400, body: { error } })
})
