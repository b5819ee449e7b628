import { SANDBOX_KEY } from '..'
import { endSandboxes, start } from './__helpers__/running'

afterEach(endSandboxes)

const MISSING = 'Missing API key: send Authorization: Bearer <key> or x-api-key'

/** Every route of the API with the scope it needs. */
const ROUTES: [method: string, path: string, scope: string | null][] = [
  ['GET', '/whoami', null],
  ['GET', '/contacts', 'contacts:read'],
  ['POST', '/contacts', 'contacts:write'],
  ['POST', '/contacts/bulk', 'contacts:write'],
  ['POST', '/contacts/some/events', 'contacts:write'],
  ['GET', '/lists', 'lists:read'],
  ['POST', '/lists', 'lists:write']
]

describe('the key', () => {
  it('is taken from Authorization or x-api-key, Bearer first', async () => {
    const { api } = await start()
    const status = async (headers: Record<string, string>) => (await api('/whoami', { key: null, headers })).status
    expect(await status({ Authorization: `Bearer ${SANDBOX_KEY}` })).toBe(200)
    expect(await status({ Authorization: `bearer  ${SANDBOX_KEY}` })).toBe(200)
    expect(await status({ 'x-api-key': SANDBOX_KEY })).toBe(200)
    expect(await status({ Authorization: 'Basic Zm9vOg==', 'x-api-key': SANDBOX_KEY })).toBe(200)
    expect(await status({ Authorization: `Bearer ${SANDBOX_KEY}`, 'x-api-key': 'wrong' })).toBe(200)
    expect(await status({ Authorization: 'Bearer wrong', 'x-api-key': SANDBOX_KEY })).toBe(401)
    expect(await status({ 'x-api-key': '' })).toBe(401)
  })

  it.each(ROUTES)('is asked for by %s %s', async (method, path) => {
    const { api } = await start()
    expect(await api(path, { method, key: null })).toMatchObject({ status: 401, body: { error: MISSING } })
    expect(await api(path, { method, key: 'esx_live_nope' })).toMatchObject({
      status: 401,
      body: { error: 'Invalid API key' }
    })
  })

  it.each(ROUTES.filter(([, , scope]) => scope))('needs for %s %s the scope %s', async (method, path, scope) => {
    const { api, keyWith, control } = await start()
    const { body } = await control('/keys')
    const others = body.keys[0].scopes.filter((one: string) => one !== scope)
    const refused = await api(path, { method, key: await keyWith(...others) })
    expect(refused).toMatchObject({ status: 403, body: { error: `API key lacks the required scope: ${scope}` } })
    expect([401, 403]).not.toContain((await api(path, { method, key: await keyWith(scope as string) })).status)
  })

  it('may be revoked and restored, and is not shown again', async () => {
    const { api, control, keyWith, state } = await start()
    const other = await keyWith('lists:read')
    const revoke = (revoked: boolean) => control('/keys/key_default', { method: 'PATCH', body: { revoked } })
    expect((await revoke(true)).body).toMatchObject({ id: 'key_default', revoked: true, key: 'esx_test_0123…' })
    expect(await api('/lists')).toMatchObject({ status: 401, body: { error: 'API key has been revoked' } })
    expect((await api('/lists', { key: other })).status).toBe(200)
    await revoke(false)
    expect((await api('/lists')).status).toBe(200)
    expect(JSON.stringify([await state(), (await control('/keys')).body])).not.toContain(other)
  })

  it('may be made to measure', async () => {
    const { api, control } = await start()
    const live = await control('/keys', { body: { environment: 'live', name: 'backend-server' } })
    expect(live).toMatchObject({
      status: 201,
      body: { key: expect.stringMatching(/^esx_live_\w{32}$/), revoked: false }
    })
    expect((await api('/whoami', { key: live.body.key })).body.data).toMatchObject({ keyName: 'backend-server' })
    const key = `esx_test_${'a'.repeat(32)}`
    expect((await control('/keys', { body: { key, scopes: [] } })).body.key).toBe(key)
    expect((await api('/lists', { key })).status).toBe(403)
    const { id } = (await control('/keys')).body.keys[2]
    await control(`/keys/${id}`, { method: 'PATCH', body: { scopes: ['lists:read'] } })
    expect((await api('/lists', { key })).status).toBe(200)
    expect(await control('/keys', { body: { key } })).toMatchObject({
      status: 400,
      body: { error: 'key exists already' }
    })
    expect((await control('/keys', { body: { key: 'short' } })).body.error).toMatch(
      /^key must be esx_test_ or esx_live_/
    )
    expect((await control('/keys', { body: { scopes: ['all'] } })).body.error).toMatch(
      /^scopes.0 must be one of contacts:read/
    )
    expect((await control('/keys/nope', { method: 'PATCH', body: {} })).status).toBe(404)
  })
})

describe('GET /whoami', () => {
  it('says whose key it is', async () => {
    const { api } = await start()
    expect((await api('/whoami')).body).toEqual({
      data: {
        workspaceId: 'ws_sandbox_id',
        workspaceName: 'EmailSendX Sandbox',
        keyName: 'Sandbox',
        scopes: expect.arrayContaining(['contacts:write'])
      }
    })
  })

  it('may be made to be missing, as on servers that lack it', async () => {
    const { api, control } = await start()
    await control('/settings', { method: 'PATCH', body: { whoami: 'missing' } })
    for (const key of [SANDBOX_KEY, 'wrong']) {
      const answer = await api('/whoami', { key })
      expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8'])
      expect(answer.headers.has('x-ratelimit-limit')).toBe(false)
    }
    await control('/settings', { method: 'PATCH', body: { whoami: 'available' } })
    expect((await api('/whoami')).status).toBe(200)
  })
})
