import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { endSandboxes, start } from './__helpers__/running'

let folder: string
let data: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sandbox-'))
  data = join(folder, 'sandbox.db')
})
afterEach(async () => {
  await endSandboxes()
  rmSync(folder, { recursive: true, force: true })
})

function change(sql: string): void {
  const database = new Database(data)
  database.exec(sql)
  database.close()
}

it('keeps everything across restarts', async () => {
  const first = await start({ data })
  const id = await first.contact('a@x.io', { metadata: { plan: 'pro' }, listId: 'clx_list_newsletter_id' })
  await first.api(`/contacts/${id}/events`, { body: { name: 'purchase_completed', data: { n: 1 } } })
  await first.api('/lists', { body: { name: 'More' } })
  const key = await first.keyWith('lists:read')
  await first.control('/keys/key_default', { method: 'PATCH', body: { revoked: true } })
  const { contacts, lists, members, events, automations, automationRuns } = await first.state()
  await endSandboxes()

  const second = await start({ data })
  expect(await second.state()).toMatchObject({ contacts, lists, members, events, automations, automationRuns })
  expect((await second.api('/lists')).status).toBe(401)
  expect((await second.api('/lists', { key })).status).toBe(200)
  await second.control('/reset', { method: 'POST' })
  await endSandboxes()

  expect((await (await start({ data })).state()).totals).toMatchObject({ contacts: 0, lists: 2, automations: 1 })
})

it('brings a file of version 1 up to date', async () => {
  change(readFileSync(join(__dirname, '__helpers__/version-1.sql'), 'utf8'))
  const { call, state } = await start({ data })
  const send = (body: object) => call('/api/segment/track', { body: { userId: 'u1', ...body } })
  await send({ type: 'identify', traits: { email: 'a@x.io' } })
  expect((await send({ type: 'track', event: 'purchase_completed' })).status).toBe(200)
  const { totals, contacts, automations, automationRuns } = await state()
  expect(totals).toEqual({
    contacts: 1,
    lists: 1,
    members: 1,
    events: 2,
    automations: 1,
    automationRuns: 2,
    requests: 2
  })
  expect(contacts).toEqual([expect.objectContaining({ id: 'contact1', firstName: 'Ann', metadata: { plan: 'pro' } })])
  expect(automations).toEqual([expect.objectContaining({ name: 'Flow', triggerEvent: 'purchase_completed' })])
  expect(automationRuns.map(({ eventName }: { eventName: string }) => eventName)).toEqual(['purchase_completed', 'old'])
})

it('takes an empty file for a new one', async () => {
  writeFileSync(data, '')
  expect((await (await start({ data })).state()).totals.lists).toBe(2)
})

it('can be shared by two sandboxes at once', async () => {
  const [one, two] = [await start({ data }), await start({ data })]
  const ids = await Promise.all(
    Array.from({ length: 20 }, (_, index) => (index % 2 ? one : two).contact(`c${index}@x.io`))
  )
  expect(new Set(ids).size).toBe(20)
  expect((await one.state()).totals.contacts).toBe(20)
})

describe('refuses a file, in one line that says what to do', () => {
  const refused = async (file = data) => {
    const error = await start({ data: file }).then(
      () => 'it started',
      (error: Error) => error.message
    )
    expect(error).not.toContain('\n')
    return error
  }

  it('that is no database', async () => {
    const bytes = 'this is not a database. '.repeat(100)
    writeFileSync(data, bytes)
    expect(await refused()).toBe(
      `cannot open ${data}: file is not a database; move the file away or choose another --data file`
    )
    expect(readFileSync(data, 'utf8')).toBe(bytes)
  })

  it("that is another program's", async () => {
    change('CREATE TABLE theirs (id)')
    expect(await refused()).toBe(`${data} is another program's database and was left alone; choose another --data file`)
  })

  it('of a newer version', async () => {
    await start({ data })
    await endSandboxes()
    change('PRAGMA user_version = 99')
    expect(await refused()).toMatch(
      /was written by a newer version of the sandbox; update this one or choose another --data file$/
    )
  })

  it('that is damaged', async () => {
    const { api } = await start({ data })
    const contacts = Array.from({ length: 1000 }, (_, index) => ({ email: `c${index}@x.io` }))
    await api('/contacts/bulk', { body: { contacts } })
    await endSandboxes()
    const bytes = readFileSync(data)
    bytes.fill(0xa5, 8192, bytes.length - 4096)
    writeFileSync(data, bytes)
    expect(await refused()).toMatch(/; move (it|the file) away or choose another --data file$/)
  })

  it('in a folder that does not exist, or that is a folder', async () => {
    expect(await refused(join(folder, 'no', 'x.db'))).toMatch(/there is no folder .*no; create it or choose another/)
    expect(await refused(folder)).toMatch(/^cannot open .*; move the file away or choose another --data file$/)
  })
})
