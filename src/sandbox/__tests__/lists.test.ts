import { endSandboxes, start } from './harness'

afterEach(endSandboxes)

describe('lists', () => {
  it('has the two documented ones, in pages, and counts active members', async () => {
    const { api, contact, control } = await start()
    await contact('a@x.io', { listId: 'clx_list_newsletter_id' })
    await contact('b@x.io', { listId: 'clx_list_newsletter_id' })
    await control('/contacts?email=b@x.io', { method: 'PATCH', body: { status: 'unsubscribed' } })
    const { body } = await api('/lists?page=1&limit=1')
    expect(body).toEqual({
      data: [
        {
          id: 'clx_list_newsletter_id',
          name: 'Newsletter Subscribers',
          description: 'Main newsletter list',
          memberCount: 1,
          createdAt: '2026-01-10T09:00:00Z',
          updatedAt: '2026-01-10T09:00:00Z'
        }
      ],
      pagination: { page: 1, limit: 1, total: 2, totalPages: 2 }
    })
    expect((await api('/lists?page=2&limit=1')).body.data[0]).toMatchObject({
      id: 'clx_list_customers_id',
      name: 'Paying Customers',
      memberCount: 0
    })
  })

  it('shows one by ?id=', async () => {
    const { api } = await start()
    expect((await api('/lists?id=clx_list_customers_id')).body.data.name).toBe('Paying Customers')
    expect(await api('/lists?id=nope')).toMatchObject({ status: 404, body: { error: 'List not found' } })
    expect((await api('/lists?id=')).status).toBe(404)
  })

  it('creates one, also under a name that exists', async () => {
    const { api } = await start({ now: () => Date.parse('2026-04-22T10:00:00Z') })
    const { status, body } = await api('/lists', { body: { name: ' VIP \u0000 ', description: 'Very' } })
    expect(status).toBe(201)
    expect(body.data).toEqual({
      id: expect.stringMatching(/^cl/),
      name: 'VIP \u0000',
      description: 'Very',
      memberCount: 0,
      createdAt: '2026-04-22T10:00:00Z',
      updatedAt: '2026-04-22T10:00:00Z'
    })
    expect((await api(`/lists?id=${body.data.id}`)).body.data).toEqual(body.data)
    expect((await api('/lists', { body: { name: 'VIP \u0000' } })).body.data).toMatchObject({ description: null })
    expect((await api('/lists')).body.pagination.total).toBe(4)
  })

  it.each([
    [{}, 'name is required'],
    [{ name: '  ' }, 'name must not be empty'],
    [{ name: ['x'] }, 'name must be a string'],
    [{ name: 'x', description: 1 }, 'description must be a string']
  ])('refuses %j: %s', async (body, error) => {
    const { api } = await start()
    expect(await api('/lists', { body })).toMatchObject({ status: 400, body: { error } })
  })
})

describe('custom fields', () => {
  it('defines and lists them', async () => {
    const { api } = await start()
    expect((await api('/custom-fields')).body).toEqual({ data: [] })
    const size = await api('/custom-fields', { body: { key: 'company_size', label: 'Company size', type: 'number' } })
    expect(size.status).toBe(201)
    expect(size.body.data).toEqual({
      id: expect.any(String),
      key: 'company_size',
      label: 'Company size',
      type: 'number',
      mergeTag: '{{contact.custom.company_size}}'
    })
    const plan = await api('/custom-fields', {
      body: { key: 'plan', label: 'Plan', type: 'single_select', options: ['free', 'pro'] }
    })
    expect(plan.body.data.options).toEqual(['free', 'pro'])
    expect((await api('/custom-fields')).body.data).toEqual([size.body.data, plan.body.data])
  })

  it.each([
    [{ key: 'Plan', label: 'Plan' }, /^key must be 1 to 50 lower-case/],
    [{ key: 'plan' }, 'label is required'],
    [{ key: 'plan', label: 'Plan', type: 'emoji' }, 'type must be one of text, number, date, boolean, single_select'],
    [{ key: 'plan', label: 'Plan', type: 'single_select' }, 'options is required for single_select'],
    [{ key: 'taken', label: 'Plan' }, 'key exists already']
  ])('refuses %j', async (body, error) => {
    const { api } = await start()
    await api('/custom-fields', { body: { key: 'taken', label: 'Taken' } })
    const answer = await api('/custom-fields', { body })
    expect(answer.status).toBe(400)
    expect(answer.body.error).toMatch(error)
  })
})

describe('what is read only', () => {
  it('has the documented segment and campaign, and no forms', async () => {
    const { api } = await start()
    expect((await api('/segments')).body).toMatchObject({
      data: [{ id: 'clx_seg_high_engage_id', matchType: 'all' }],
      pagination: { total: 1 }
    })
    expect((await api('/segments?id=clx_seg_high_engage_id')).body.data.cachedCount).toBe(1248)
    expect(await api('/segments?id=nope')).toMatchObject({ status: 404, body: { error: 'Segment not found' } })
    expect((await api('/segments?page=2')).body.data).toEqual([])
    expect((await api('/campaigns')).body.data[0]).not.toHaveProperty('stats')
    expect((await api('/campaigns?id=clx_camp_april_nl_id')).body.data.stats.delivered).toBe(5388)
    expect((await api('/campaigns?id=nope')).status).toBe(404)
    expect((await api('/forms')).body).toEqual({
      data: [],
      pagination: { page: 1, limit: 50, total: 0, totalPages: 0 }
    })
  })
})
