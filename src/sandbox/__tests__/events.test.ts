import { endSandboxes, start } from './__helpers__/running'

afterEach(endSandboxes)

const PURCHASE = {
  name: 'purchase_completed',
  data: { orderId: 'ord_abc123', amount: 99.5, items: ['Pro Plan - Annual'], nested: { a: null } }
}

describe('POST /contacts/{id}/events', () => {
  it('fires the event and starts the automation that waits for it', async () => {
    const { api, contact, state } = await start({ now: () => Date.parse('2026-04-22T09:15:30.123Z') })
    const id = await contact('a@x.io')
    const { status, body } = await api(`/contacts/${id}/events`, { body: PURCHASE })
    expect(status).toBe(200)
    expect(body).toEqual({
      data: { contactId: id, eventName: 'purchase_completed', matchingAutomations: 1, firedAt: '2026-04-22T09:15:30Z' }
    })
    const { events, automationRuns, automations } = await state()
    expect(events).toEqual([
      {
        id: expect.any(String),
        contactId: id,
        email: 'a@x.io',
        ...PURCHASE,
        matchingAutomations: 1,
        firedAt: '2026-04-22T09:15:30Z'
      }
    ])
    expect(automationRuns).toEqual([
      {
        id: expect.any(String),
        automationId: 'clx_auto_purchase_flow_id',
        automationName: 'Post-Purchase Flow',
        contactId: id,
        email: 'a@x.io',
        eventId: events[0].id,
        eventName: 'purchase_completed',
        startedAt: '2026-04-22T09:15:30Z'
      }
    ])
    expect(automations[0]).toMatchObject({ enrolledCount: 1, triggerEvent: 'purchase_completed' })
  })

  it('accepts an event nobody waits for, without data, under any name', async () => {
    const { api, contact } = await start()
    const id = await contact('a@x.io')
    for (const name of ['nobody waits', '__proto__', '\u0000', '🛒']) {
      const { status, body } = await api(`/contacts/${id}/events`, { body: { name } })
      expect([status, body.data.matchingAutomations, body.data.eventName]).toEqual([200, 0, name])
    }
  })

  it.each([
    [
      'case-insensitive',
      { purchase_completed: 1, PURCHASE_COMPLETED: 1, 'Purchase Completed': 0, ' purchase_completed': 0 }
    ],
    [
      'normalized',
      {
        purchase_completed: 1,
        PURCHASE_COMPLETED: 1,
        'Purchase Completed': 1,
        ' purchase  _ completed ': 1,
        purchasecompleted: 0
      }
    ]
  ] as const)('compares names %s', async (eventMatch, expected) => {
    const { api, contact } = await start({ eventMatch })
    const id = await contact('a@x.io')
    for (const [name, matching] of Object.entries(expected)) {
      const { body } = await api(`/contacts/${id}/events`, { body: { name } })
      expect([name, body.data.matchingAutomations]).toEqual([name, matching])
    }
  })

  it('starts only active automations that wait for that name, each time anew', async () => {
    const { api, contact, control, state } = await start()
    const id = await contact('a@x.io')
    await control('/automations', { body: { name: 'Second', event: 'Purchase_Completed' } })
    await control('/automations', { body: { name: 'Paused', event: 'purchase_completed', status: 'paused' } })
    await control('/automations', { body: { name: 'Other', event: 'other' } })
    for (const round of [1, 2]) {
      expect((await api(`/contacts/${id}/events`, { body: PURCHASE })).body.data.matchingAutomations).toBe(2)
      expect((await state()).automationRuns).toHaveLength(2 * round)
    }
    await control('/automations/clx_auto_purchase_flow_id', { method: 'PATCH', body: { status: 'paused' } })
    expect((await api(`/contacts/${id}/events`, { body: PURCHASE })).body.data.matchingAutomations).toBe(1)
  })

  it.each([
    [undefined, 'body is required'],
    [{}, 'name is required'],
    [{ name: 5 }, 'name must be a string'],
    [{ name: '' }, 'name must not be empty'],
    [{ name: ' \n' }, 'name must not be empty'],
    [{ name: 'x', data: [] }, 'data must be a JSON object'],
    [{ name: 'x', data: 'y' }, 'data must be a JSON object'],
    [{ event: 'x', properties: {} }, 'name is required']
  ])('refuses %j: %s', async (body, error) => {
    const { api, contact, state } = await start()
    const id = await contact('a@x.io')
    expect(await api(`/contacts/${id}/events`, { method: 'POST', body })).toMatchObject({
      status: 400,
      body: { error }
    })
    expect((await state()).totals.events).toBe(0)
  })

  it('knows no contact by its email', async () => {
    const { api, contact } = await start()
    await contact('a@x.io')
    const answer = await api('/contacts/a@x.io/events', { body: PURCHASE })
    expect(answer).toMatchObject({ status: 404, body: { error: 'Contact not found' } })
  })
})
