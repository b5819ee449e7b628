import demo from './__helpers__/demo'
import { startServed } from './__helpers__/served'

let served: Awaited<ReturnType<typeof startServed>>
beforeAll(async () => {
  served = await startServed()
})
beforeEach(() => {
  served.upstream.received.length = 0
  served.upstream.answer(() => ({ json: { ok: true } }))
})
afterAll(() => served.close())

describe('the manifest', () => {
  it('is the definition without its functions, and the directory', async () => {
    const { status, json } = await served.send('/manifest')
    expect(status).toBe(200)
    expect(json).toEqual({ ...JSON.parse(JSON.stringify(demo)), directoryName: 'demo' })
    expect(Object.keys(json).at(-1)).toBe('directoryName')
  })
})

describe.each(['/authenticate', '/authentication'])('%s', (path) => {
  it('takes settings at the root, with tokens under oauth', async () => {
    const { status, json } = await served.post(path, { ...served.settings, oauth: { access_token: 't1' } })
    expect([status, json]).toEqual([200, { ok: true }])
    expect(served.upstream.received[0].headers).toMatchObject({ authorization: 'Bearer t1', 'x-token': 't1' })
  })

  it.each([
    { oauth: { access_token: 't1' } },
    { auth: { accessToken: 't1' } },
    { settings: { oauth: { accessToken: 't1' } } }
  ])('takes settings under `settings`, and tokens as %j', async ({ settings, ...tokens }) => {
    const body = { settings: { ...served.settings, ...settings }, ...tokens }
    expect((await served.post(path, body)).json).toEqual({ ok: true })
    expect(served.upstream.received[0].headers['x-token']).toBe('t1')
  })

  it('answers 200 also when the key is refused', async () => {
    served.upstream.answer(() => ({ status: 401, json: {} }))
    const { status, json } = await served.post(path, served.settings)
    expect(status).toBe(200)
    expect(json).toEqual({ ok: false, error: 'Credentials are invalid: 401 Unauthorized', fields: {} })
    expect(Object.keys(json)).toEqual(['ok', 'error', 'fields'])
  })

  it.each([
    [{}, { $: "The root value is missing the required field 'apiKey'." }],
    [{ apiKey: { a: 1 } }, { apiKey: 'API Key must be a string but it was an object.' }]
  ])('names the fields that are wrong in %j', async (settings, fields) => {
    const { json } = await served.post(path, settings)
    expect(json).toEqual({ ok: false, error: Object.values(fields)[0], fields })
  })

  it('shows its requests when they are asked for', async () => {
    const { json } = await served.post(`${path}?multistatus=true`, served.settings)
    expect(json).toEqual({ ok: true, exchanges: [expect.objectContaining({ response: expect.anything() })] })
    expect(json.exchanges[0].request.headers.authorization).toBe('<redacted>')
  })
})

describe('/delete', () => {
  const body = () => ({ payload: { userId: 'u1', traits: { email: 'a@b.co' } }, settings: served.settings })

  it('is answered with its own requests', async () => {
    await served.post('/save', { payload: { traits: { email: 'a@b.co' } }, settings: served.settings })
    const { status, json } = await served.post('/delete', body())
    expect(status).toBe(200)
    expect(json.map(({ request }: { request: { method: string } }) => request.method)).toEqual(['DELETE'])
  })

  it('is 200 with one error when it fails', async () => {
    served.upstream.answer(() => ({ status: 404, json: { error: 'who?' } }))
    const { status, json } = await served.post('/delete', body())
    expect([status, json[0].statusCode, json[0].message]).toEqual([200, 404, { error: 'who?' }])
  })

  it('says with multistatus what became of it', async () => {
    const { json } = await served.post('/delete?multistatus=true', body())
    expect(json.multistatus).toEqual([expect.objectContaining({ status: 200, sent: body().payload })])
  })

  it('is not there for a destination that cannot delete', async () => {
    const { onDelete: _onDelete, ...definition } = demo
    const other = await startServed({ definition })
    expect((await other.post('/delete', {})).status).toBe(404)
    await other.close()
  })
})

describe('audiences', () => {
  it('are created and found', async () => {
    const created = await served.post('/createAudience', { settings: served.settings, audienceName: 'VIP' })
    expect([created.status, created.json]).toEqual([200, { externalId: 'id of VIP' }])
    const found = await served.post('/getAudience', { settings: served.settings, externalId: 'a 1' })
    expect([found.status, found.json]).toEqual([200, { externalId: 'a 1' }])
  })

  it('are 400 with the words of the API when it refuses', async () => {
    served.upstream.answer(() => ({ status: 409, json: { error: 'taken' } }))
    const { status, json } = await served.post('/createAudience', { settings: served.settings, audienceName: 'VIP' })
    expect([status, json]).toEqual([400, { ok: false, error: { error: 'taken' } }])
  })

  it('have no route where a destination has none', async () => {
    const { audienceConfig: _config, ...definition } = demo
    const other = await startServed({ definition })
    expect((await other.post('/createAudience', {})).status).toBe(404)
    expect((await other.post('/getAudience', {})).status).toBe(404)
    await other.close()
  })
})

describe('/refreshAccessToken', () => {
  it.each([
    { clientId: 'c', clientSecret: 's', refreshToken: 'r' },
    { clientId: 'c', clientSecret: 's', auth: { refreshToken: 'r' } },
    { oauth: { clientId: 'c', clientSecret: 's', refresh_token: 'r' } }
  ])('refreshes with %j', async (tokens) => {
    served.upstream.answer(() => ({ json: { token: 'fresh' } }))
    const { status, json } = await served.post('/refreshAccessToken', { settings: served.settings, ...tokens })
    expect([status, json]).toEqual([200, { ok: true, data: { accessToken: 'fresh' } }])
    expect(JSON.parse(served.upstream.received[0].body)).toEqual({
      clientId: 'c',
      clientSecret: 's',
      refreshToken: 'r'
    })
  })

  it('is refused by a destination without OAuth', async () => {
    const authentication = { scheme: 'custom' as const, fields: {} }
    const other = await startServed({ definition: { ...demo, authentication } })
    const { status, json } = await other.post('/refreshAccessToken', {})
    expect(status).toBe(400)
    expect(json).toEqual({ ok: false, error: 'refreshAccessToken is only valid with oauth2 authentication scheme' })
    await other.close()
  })
})

describe('dynamic fields', () => {
  it('give choices and the next page', async () => {
    const { status, json } = await served.post('/save/plan', { settings: served.settings })
    expect(status).toBe(200)
    expect(json).toEqual({
      choices: [{ label: 'Pro', value: `${served.upstream.url}/plans?page=1&q=` }],
      nextPage: '2'
    })
  })

  it('are given page and search text', async () => {
    const body = { settings: served.settings, page: '2', dynamicFieldContext: { query: 'gold' } }
    await served.post('/save/plan', body)
    expect(served.upstream.received[0].url).toBe('/plans?page=2&q=gold')
  })

  it('are 500 with message and code, whether the function returns an error or throws', async () => {
    const returned = await served.post('/save/plan', {
      settings: served.settings,
      payload: { email: 'unknown@example.com' }
    })
    expect([returned.status, returned.json]).toEqual([500, [{ message: 'Who is that?', code: '404' }]])
    served.upstream.answer(() => ({ status: 403, json: { error: 'scope' } }))
    const thrown = await served.post('/save/plan', { settings: served.settings })
    expect([thrown.status, thrown.json]).toEqual([500, [{ message: '{"error":"scope"}', code: 'FORBIDDEN' }]])
  })

  it.each([
    ['tags.__keys__', { label: 'Colour', value: 'colour' }],
    ['tags.Shoe%20Size', { label: 'a Shoe Size', value: 'q' }],
    ['tags.constructor', { label: 'a constructor', value: 'q' }],
    ['rows.%5B2%5D.name', { label: 'row', value: '2' }]
  ])('also answer for the nested name %s', async (name, choice) => {
    const body = { settings: served.settings, dynamicFieldContext: { query: 'q' } }
    expect((await served.post(`/save/${name}`, body)).json).toEqual({ choices: [choice] })
  })

  it.each(['tags', 'rows', 'rows.constructor', 'rows.[0].nope'])(
    'are 500 for %s, which has no function',
    async (name) => {
      const { status, json } = await served.post(`/save/${name}`, {})
      expect([status, json]).toEqual([500, [{ message: `No dynamic field named ${name} found.`, code: '404' }]])
    }
  )
})

describe('hooks', () => {
  it('are performed with their inputs', async () => {
    const { status, json } = await served.post('/save/hooks/onMappingSave', {
      settings: served.settings,
      hookInputs: { name: 'spring' }
    })
    expect([status, json]).toEqual([200, { successMessage: 'made spring', savedData: { id: '1' } }])
  })

  it('are 500 with the schema error, in the form it has in the original', async () => {
    const { status, json } = await served.post('/save/hooks/onMappingSave', { settings: served.settings })
    const message = "The root value is missing the required field 'name'."
    expect([status, json]).toEqual([500, [[{ path: '$', pointer: '', message }]]])
  })

  it('have dynamic fields of their own', async () => {
    const { json } = await served.post('/save/hooks/onMappingSave/dynamic/colour', { settings: served.settings })
    expect(json).toEqual({ choices: [{ label: 'Red', value: 'red' }] })
  })
})
