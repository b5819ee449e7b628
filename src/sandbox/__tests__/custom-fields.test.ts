import { endSandboxes, start } from './__helpers__/running'

afterEach(endSandboxes)

describe('custom fields', () => {
  it('are created with a key, a label and a type, and listed oldest first', async () => {
    const { api } = await start()
    const plan = await api('/custom-fields', { body: { key: 'plan', label: ' Plan ' } })
    expect(plan).toMatchObject({
      status: 201,
      body: { data: { key: 'plan', label: 'Plan', type: 'text', mergeTag: '{{contact.custom.plan}}' } }
    })
    const size = { key: 'size', label: 'Size', type: 'single_select', options: ['S', 'M'] }
    expect((await api('/custom-fields', { body: size })).body.data).toMatchObject(size)
    expect((await api('/custom-fields')).body.data).toMatchObject([{ key: 'plan' }, { key: 'size' }])
  })

  it.each([
    [{ key: 'Plan', label: 'Plan' }, 'key'],
    [{ key: 'plan' }, 'label'],
    [{ key: 'plan', label: 'Plan', type: 'json' }, 'type'],
    [{ key: 'plan', label: 'Plan', type: 'single_select' }, 'options']
  ])('are refused when they are wrong: %j', async (body, field) => {
    const { api } = await start()
    expect(await api('/custom-fields', { body })).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining(field) }
    })
  })

  it('have one key each, and survive no reset', async () => {
    const { api, control } = await start()
    await api('/custom-fields', { body: { key: 'plan', label: 'Plan' } })
    expect((await api('/custom-fields', { body: { key: 'plan', label: 'Tariff' } })).status).toBe(400)
    await control('/reset', { method: 'POST' })
    expect((await api('/custom-fields')).body.data).toEqual([])
  })
})
