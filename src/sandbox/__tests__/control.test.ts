import { request } from 'node:http'
import { endSandboxes, start } from './__helpers__/running'

afterEach(endSandboxes)

describe('GET /_sandbox/state', () => {
  it('shows a new sandbox', async () => {
    const { state } = await start()
    expect(await state()).toMatchObject({
      totals: { contacts: 0, lists: 2, members: 0, events: 0, automations: 1, automationRuns: 0, requests: 0 },
      contacts: [],
      members: [],
      events: [],
      automationRuns: [],
      requests: [],
      faults: [],
      settings: { rateLimit: 120, eventMatch: 'case-insensitive', whoami: 'available' }
    })
  })

  it('counts requests by route and answer, unknown paths and wrong methods too', async () => {
    const { api, state, contact } = await start()
    const id = await contact('a@x.io')
    const name = { name: 'x' }
    for (const one of [id, 'x', 'y']) await api(`/contacts/${one}/events`, { body: name })
    for (const path of ['/nope/1', '/nope/2']) await api(path)
    await api('/lists', { method: 'DELETE' })
    const { requests, totals } = await state()
    expect(requests).toEqual([
      { route: 'POST /api/v1/contacts/:id/events', count: 3, answers: { 200: 1, 404: 2 } },
      { route: 'unknown path', count: 2, answers: { 404: 2 } },
      { route: 'POST /api/v1/contacts', count: 1, answers: { 201: 1 } },
      { route: 'DELETE /api/v1/lists', count: 1, answers: { 405: 1 } }
    ])
    expect(totals.requests).toBe(7)
  })

  it('shows the latest 100 and the true totals', async () => {
    const { api, state } = await start()
    const contacts = Array.from({ length: 150 }, (_, index) => ({ email: `c${index}@x.io` }))
    await api('/contacts/bulk', { body: { contacts, listId: 'clx_list_newsletter_id' } })
    const { contacts: shown, members, totals, lists } = await state()
    expect([shown.length, shown[0].email, members.length]).toEqual([100, 'c149@x.io', 100])
    expect(totals).toMatchObject({ contacts: 150, members: 150 })
    expect(lists[0].memberCount).toBe(150)
  })

  it('stays small when contacts and events are large, and goes on working', async () => {
    const { api, state, contact } = await start()
    const large = 'x'.repeat(400_000)
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      const id = await contact(`${name}@x.io`, { metadata: { large } })
      await api(`/contacts/${id}/events`, { body: { name: 'big', data: { large } } })
    }
    const { contacts, events, totals } = await state()
    expect([contacts.length, events.length, totals.contacts, totals.events]).toEqual([2, 2, 5, 5])
    await contact('f@x.io')
    expect((await state()).contacts[0].email).toBe('f@x.io')
  })

  it('tells everything about one contact', async () => {
    const { api, contact, control } = await start()
    await contact('other@x.io', { listId: 'clx_list_customers_id' })
    const id = await contact('a@x.io', { listId: 'clx_list_newsletter_id' })
    await api(`/contacts/${id}/events`, { body: { name: 'Purchase_Completed' } })
    const { body } = await control('/state?email=A%40x.io')
    expect(body).toMatchObject({
      contact: { id, email: 'a@x.io' },
      lists: [{ id: 'clx_list_newsletter_id' }],
      events: [{ name: 'Purchase_Completed', contactId: id }],
      automationRuns: [{ automationName: 'Post-Purchase Flow', eventName: 'Purchase_Completed' }]
    })
    expect(body.lists).toHaveLength(1)
    expect(await control('/state?email=none@x.io')).toMatchObject({
      status: 404,
      body: { error: 'No contact has this email' }
    })
  })
})

it('POST /_sandbox/reset goes back to the start', async () => {
  const { api, contact, control, keyWith, state } = await start({ rateLimit: 50, eventMatch: 'normalized' })
  const before = await state()
  const id = await contact('a@x.io', { listId: 'clx_list_newsletter_id' })
  await api(`/contacts/${id}/events`, { body: { name: 'purchase_completed' } })
  await api('/lists', { body: { name: 'More' } })
  await control('/faults', { body: { kind: 'drop', times: 5 } })
  await control('/automations', { body: { name: 'x', event: 'x' } })
  await control('/settings', {
    method: 'PATCH',
    body: { rateLimit: 1, eventMatch: 'case-insensitive', whoami: 'missing' }
  })
  await control('/keys/key_default', { method: 'PATCH', body: { revoked: true, scopes: [] } })
  const key = await keyWith('lists:read')
  expect((await control('/reset', { method: 'POST' })).status).toBe(204)
  const timeless = JSON.parse(
    JSON.stringify(before, (name, value) => (/At$|^reset$/.test(name) ? expect.anything() : value))
  )
  const after = await state()
  expect(Object.keys(after)).toEqual(Object.keys(timeless))
  expect({ ...after, automations: [], keys: [] }).toEqual({ ...before, automations: [], keys: [] })
  expect(after.automations).toHaveLength(1)
  expect(after.keys).toEqual([expect.objectContaining({ id: 'key_default', revoked: false })])
  expect((await api('/lists', { key })).status).toBe(401)
  expect((await api('/lists')).headers.get('x-ratelimit-remaining')).toBe('49')
})

describe('the dashboard it stands in for', () => {
  it('refuses what makes no sense, in one line', async () => {
    const { control } = await start()
    const refused = async (path: string, method: string, body: object) => {
      const answer = await control(path, { method, body })
      return [answer.status, answer.body.error]
    }
    expect(await refused('/contacts?email=a@x.io', 'PATCH', { status: 'gone' })).toEqual([
      400,
      'status must be one of active, unsubscribed, bounced, complained, suppressed'
    ])
    expect(await refused('/contacts', 'PATCH', { status: 'active' })).toEqual([
      400,
      'email is required as a query parameter'
    ])
    expect(await refused('/contacts?email=a@x.io', 'PATCH', { status: 'active' })).toEqual([
      404,
      'No contact has this email'
    ])
    expect(await refused('/automations', 'POST', { event: 'x' })).toEqual([400, 'name is required'])
    expect(await refused('/automations', 'POST', { name: 'x' })).toEqual([400, 'event is required'])
    expect(await refused('/automations/nope', 'PATCH', { status: 'paused' })).toEqual([404, 'Automation not found'])
    expect(await refused('/settings', 'PATCH', { whoami: 'maybe' })).toEqual([
      400,
      'whoami must be one of available, missing'
    ])
    expect(await refused('/settings', 'PATCH', { port: 1 })).toEqual([
      400,
      'body has a field that does not exist here: port'
    ])
    expect((await control('/nope')).body.error).toBe('No such control route: see docs/sandbox.md')
  })

  it('can compare names the friendlier way from now on', async () => {
    const { api, contact, control } = await start()
    const id = await contact('a@x.io')
    const matching = async () =>
      (await api(`/contacts/${id}/events`, { body: { name: 'Purchase Completed' } })).body.data.matchingAutomations
    expect(await matching()).toBe(0)
    expect((await control('/settings', { method: 'PATCH', body: { eventMatch: 'normalized' } })).body).toMatchObject({
      rateLimit: 120,
      eventMatch: 'normalized',
      whoami: 'available'
    })
    expect(await matching()).toBe(1)
  })
})

describe('who may come in', () => {
  /** `fetch` does not let a caller choose the Host header. */
  const visit = (port: number, path: string, headers: Record<string, string>) =>
    new Promise<number | undefined>((resolve, reject) => {
      request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) =>
        resolve(response.resume().statusCode)
      )
        .on('error', reject)
        .end()
    })

  it('refuses foreign hosts everywhere while on loopback', async () => {
    const { port } = await start()
    for (const path of ['/_sandbox/state', '/api/v1/lists', '/']) {
      for (const host of [
        'evil.example',
        `evil.example:${port}`,
        'localhost.evil.example',
        '127.0.0.1.evil.example',
        '10.0.0.1',
        'a b'
      ]) {
        expect([path, host, await visit(port, path, { host })]).toEqual([path, host, 403])
      }
    }
    for (const host of ['localhost', `LOCALHOST:${port}`, '127.0.0.1', '[::1]:1']) {
      expect([host, await visit(port, '/_sandbox/state', { host })]).toEqual([host, 200])
    }
  })

  it('lets other hosts to the API, but not to the control routes, when told to listen wider', async () => {
    const { port, url } = await start({ host: '0.0.0.0' })
    expect(url).toBe(`http://127.0.0.1:${port}`)
    expect(await visit(port, '/api/v1/lists', { host: 'sandbox.internal' })).toBe(401)
    expect(await visit(port, '/_sandbox/state', { host: 'sandbox.internal' })).toBe(403)
    expect(await visit(port, '/_sandbox/state', { host: 'localhost' })).toBe(200)
  })

  it("refuses other sites' web pages at the control routes", async () => {
    const { control } = await start()
    for (const origin of ['https://evil.example', 'null', 'http://localhost.evil.example']) {
      expect((await control('/reset', { method: 'POST', headers: { origin } })).status).toBe(403)
    }
    expect((await control('/reset', { method: 'POST', headers: { origin: 'http://localhost:3000' } })).status).toBe(204)
  })
})
