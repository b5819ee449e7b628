import { endSandboxes, start } from './__helpers__/running'

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
