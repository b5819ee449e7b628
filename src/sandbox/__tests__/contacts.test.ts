import { endSandboxes, start } from './__helpers__/running'

afterEach(endSandboxes)

describe('GET /contacts', () => {
  it('pages newest first, inside {data, pagination}', async () => {
    const { api, contact } = await start()
    for (const name of ['a', 'b', 'c']) await contact(`${name}@x.io`)
    const emails = async (query: string) => {
      const { body } = await api(`/contacts?${query}`)
      return [body.data.map((one: { email: string }) => one.email), body.pagination]
    }
    expect(await emails('')).toEqual([['c@x.io', 'b@x.io', 'a@x.io'], { page: 1, limit: 50, total: 3, totalPages: 1 }])
    expect(await emails('page=2&limit=2')).toEqual([['a@x.io'], { page: 2, limit: 2, total: 3, totalPages: 2 }])
    expect(await emails('page=9&limit=2')).toEqual([[], { page: 9, limit: 2, total: 3, totalPages: 2 }])
    expect(await emails('limit=1&limit=3&page=1')).toEqual([['c@x.io'], { page: 1, limit: 1, total: 3, totalPages: 3 }])
  })

  it.each([
    'page=0',
    'page=-1',
    'page=1.5',
    'page=',
    'page=x',
    'page=99999999999',
    'limit=0',
    'limit=101',
    'limit=1e2'
  ])('refuses %s, naming the parameter', async (query) => {
    const { api } = await start()
    const { status, body } = await api(`/contacts?${query}`)
    expect(status).toBe(400)
    expect(body.error).toMatch(new RegExp(`^${query.split('=')[0]} must be an integer from 1 to `))
  })

  it('searches a literal part of email, first or last name, in any case', async () => {
    const { api, contact } = await start()
    await contact('ann@x.io', { firstName: 'Anna', lastName: 'Ångström' })
    await contact('joann@x.io', { lastName: '100%_real' })
    await contact('a+b@x.io', { firstName: 'Nul\u0000l' })
    const found = async (search: string) =>
      (await api(`/contacts?search=${encodeURIComponent(search)}`)).body.data.map((one: { email: string }) => one.email)
    expect(await found('ANN@x.io')).toEqual(['joann@x.io', 'ann@x.io'])
    expect(await found('ångSTRÖM')).toEqual(['ann@x.io'])
    expect(await found('%_')).toEqual(['joann@x.io'])
    expect(await found('a+b')).toEqual(['a+b@x.io'])
    expect(await found('l\u0000l')).toEqual(['a+b@x.io'])
    expect(await found('ioAnna')).toEqual([])
    expect(await found('')).toHaveLength(3)
    expect((await api('/contacts?search=%zz%')).status).toBe(200)
  })

  it('filters by status and by list', async () => {
    const { api, contact, control } = await start()
    await contact('in@x.io', { listId: 'clx_list_newsletter_id' })
    await contact('out@x.io')
    await control('/contacts?email=out@x.io', { method: 'PATCH', body: { status: 'bounced' } })
    const found = async (query: string) =>
      (await api(`/contacts?${query}`)).body.data.map((one: { email: string }) => one.email)
    expect(await found('status=bounced')).toEqual(['out@x.io'])
    expect(await found('list_id=clx_list_newsletter_id')).toEqual(['in@x.io'])
    expect(await found('list_id=clx_list_newsletter_id&status=bounced')).toEqual([])
    expect(await api('/contacts?status=nice')).toMatchObject({
      status: 400,
      body: { error: 'status must be one of active, unsubscribed, bounced, complained, suppressed' }
    })
    expect(await api('/contacts?list_id=nope')).toMatchObject({
      status: 404,
      body: { error: 'List not found: list_id' }
    })
  })
})

describe('POST /contacts', () => {
  it('creates with 201, updates with 200, and merges what was sent', async () => {
    let time = Date.parse('2026-01-15T10:00:00.900Z')
    const { api } = await start({ now: () => time })
    const first = await api('/contacts', {
      body: {
        email: '  John@Example.com ',
        firstName: 'John',
        lastName: 'Smith',
        metadata: { plan: 'free', deep: { a: 1 } }
      }
    })
    expect(first.status).toBe(201)
    expect(first.body).toEqual({
      data: {
        id: expect.stringMatching(/^cl[a-z0-9]{23}$/),
        email: 'john@example.com',
        firstName: 'John',
        lastName: 'Smith',
        status: 'active',
        metadata: { plan: 'free', deep: { a: 1 } },
        createdAt: '2026-01-15T10:00:00Z',
        updatedAt: '2026-01-15T10:00:00Z'
      }
    })
    time += 60_000
    const second = await api('/contacts', {
      body: { email: 'JOHN@example.com', firstName: null, lastName: '', metadata: { deep: { b: [2, null] }, n: 1e300 } }
    })
    expect(second.status).toBe(200)
    expect(second.body.data).toEqual({
      ...first.body.data,
      lastName: '',
      metadata: { plan: 'free', deep: { b: [2, null] }, n: 1e300 },
      updatedAt: '2026-01-15T10:01:00Z'
    })
  })

  it('takes null and the empty array of PHP for "nothing sent", and ignores what it does not know', async () => {
    const { api } = await start()
    for (const metadata of [null, [], {}]) {
      const { status, body } = await api('/contacts', {
        body: {
          email: 'a@x.io',
          firstName: null,
          lastName: null,
          metadata,
          listId: null,
          status: 'bounced',
          tags: ['x'],
          id: '1'
        }
      })
      expect([status, body.data.status, body.data.metadata, body.data.firstName]).toEqual([
        expect.any(Number),
        'active',
        {},
        null
      ])
    }
  })

  it('never changes a status', async () => {
    const { api, contact, control } = await start()
    await contact('a@x.io')
    await control('/contacts?email=A@x.io', { method: 'PATCH', body: { status: 'unsubscribed' } })
    const single = await api('/contacts', { body: { email: 'a@x.io', status: 'active' } })
    expect(single.body.data.status).toBe('unsubscribed')
    const bulk = await api('/contacts/bulk', { body: { contacts: [{ email: 'a@x.io', status: 'active' }] } })
    expect(bulk.body.data.summary.updated).toBe(1)
    expect((await api('/contacts?search=a@x.io')).body.data[0].status).toBe('unsubscribed')
  })

  it.each([
    [{}, 'email is required'],
    [{ email: 5 }, 'email must be a string'],
    [{ email: '' }, 'email must be a valid email address'],
    [{ email: 'a@x' }, 'email must be a valid email address'],
    [{ email: 'a b@x.io' }, 'email must be a valid email address'],
    [{ email: 'a@@x.io' }, 'email must be a valid email address'],
    [{ email: 'a\u0000@x.io' }, 'email must be a valid email address'],
    [{ email: 'a@x..io' }, 'email must be a valid email address'],
    [{ email: `${'a'.repeat(64)}@${'b'.repeat(190)}.io` }, 'email must be a valid email address'],
    [{ email: 'a@x.io', firstName: 1 }, 'firstName must be a string'],
    [{ email: 'a@x.io', lastName: {} }, 'lastName must be a string'],
    [{ email: 'a@x.io', metadata: 'x' }, 'metadata must be a JSON object'],
    [{ email: 'a@x.io', metadata: [1] }, 'metadata must be a JSON object'],
    [{ email: 'a@x.io', listId: 7 }, 'listId must be a string'],
    [{ email: 'a@x.io', listId: '' }, 'listId must not be empty'],
    [[], 'body must be a JSON object'],
    ['null', 'body must be a JSON object'],
    ['"x"', 'body must be a JSON object']
  ])('refuses %j: %s', async (body, error) => {
    const { api, state } = await start()
    expect(await api('/contacts', { body })).toMatchObject({ status: 400, body: { error } })
    expect((await state()).totals.contacts).toBe(0)
  })

  it('puts the contact in a list once, and applies nothing when the list does not exist', async () => {
    const { api, contact, state } = await start()
    await contact('a@x.io', { listId: 'clx_list_customers_id' })
    await contact('a@x.io', { listId: 'clx_list_customers_id' })
    expect((await state()).members).toEqual([
      expect.objectContaining({ listId: 'clx_list_customers_id', email: 'a@x.io' })
    ])
    const missing = await api('/contacts', { body: { email: 'b@x.io', listId: 'nope' } })
    expect(missing).toMatchObject({ status: 404, body: { error: 'List not found: listId' } })
    expect((await state()).totals.contacts).toBe(1)
  })

  it('keeps strange keys and texts as data', async () => {
    const { api } = await start()
    const metadata =
      '{"__proto__":{"polluted":1},"constructor":"c","":"empty","nul":"a\\u0000b","half":"\\ud800","big":9007199254740993}'
    const sent = await api('/contacts', {
      body: `{"email":"a@x.io","firstName":"N\\u0000ul 😀","metadata":${metadata}}`
    })
    expect(sent.status).toBe(201)
    const { firstName, metadata: kept } = (await api('/contacts')).body.data[0]
    expect(firstName).toBe('N\u0000ul 😀')
    expect(JSON.stringify(kept)).toBe(JSON.stringify(JSON.parse(metadata)))
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })
})

describe('POST /contacts/bulk', () => {
  it('gives each row its own fate', async () => {
    const { api, contact } = await start()
    await contact('old@x.io', { firstName: 'Old' })
    const { status, body } = await api('/contacts/bulk', {
      body: {
        contacts: [
          { email: 'OLD@x.io ', firstName: null, lastName: 'Timer', metadata: [] },
          { email: 'new@x.io' },
          { email: 'no email' },
          { firstName: 'nobody' },
          'text',
          null,
          { email: 'bad@x.io', metadata: 1 }
        ],
        listId: 'clx_list_newsletter_id',
        consentSource: 'wordpress-plugin'
      }
    })
    expect(status).toBe(200)
    expect(body).toEqual({
      data: {
        summary: { created: 1, updated: 1, skipped: 0, failed: 5 },
        errors: [
          { message: 'email must be a valid email address' },
          { message: 'email is required' },
          { message: 'contact must be a JSON object' },
          { message: 'contact must be a JSON object' },
          { message: 'metadata must be a JSON object' }
        ]
      }
    })
    const members = await api('/contacts?list_id=clx_list_newsletter_id')
    expect(members.body.data).toEqual([
      expect.objectContaining({ email: 'new@x.io' }),
      expect.objectContaining({ email: 'old@x.io', firstName: 'Old', lastName: 'Timer' })
    ])
  })

  it('applies only the last of several rows with one email', async () => {
    const { api } = await start()
    const contacts = [
      { email: 'a@x.io', metadata: { first: 1 } },
      { email: 'b@x.io' },
      { email: 'A@X.io', metadata: { last: 1 } }
    ]
    const { body } = await api('/contacts/bulk', { body: { contacts } })
    expect(body.data.summary).toEqual({ created: 2, updated: 0, skipped: 1, failed: 0 })
    expect((await api('/contacts?search=a@x.io')).body.data[0].metadata).toEqual({ last: 1 })
  })

  it('takes 1,000 rows as one request and no more', async () => {
    const { api, state } = await start()
    const contacts = Array.from({ length: 1001 }, (_, index) => ({ email: `a${index}@x.io` }))
    expect(await api('/contacts/bulk', { body: { contacts } })).toMatchObject({
      status: 400,
      body: { error: 'contacts must not have more than 1000 entries' }
    })
    const { body, headers } = await api('/contacts/bulk', { body: { contacts: contacts.slice(1) } })
    expect(body.data.summary.created).toBe(1000)
    expect(headers.get('x-ratelimit-remaining')).toBe('118')
    expect((await state()).totals.contacts).toBe(1000)
  })

  it.each([
    [{}, 'contacts is required'],
    [{ contacts: {} }, 'contacts must be an array'],
    [{ contacts: [] }, 'contacts must not be empty'],
    [{ contacts: [{ email: 'a@x.io' }], listId: 1 }, 'listId must be a string']
  ])('refuses %j: %s', async (body, error) => {
    const { api, state } = await start()
    expect(await api('/contacts/bulk', { body })).toMatchObject({ status: 400, body: { error } })
    expect((await state()).totals.contacts).toBe(0)
  })

  it('refuses an unknown list as a whole', async () => {
    const { api, state } = await start()
    const body = { contacts: [{ email: 'a@x.io' }], listId: 'nope' }
    const answer = await api('/contacts/bulk', { body })
    expect(answer).toMatchObject({ status: 404, body: { error: 'List not found: listId' } })
    expect((await state()).totals.contacts).toBe(0)
  })
})
