import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { openAccount, type Account } from '../../account/account'
import { SANDBOX_KEY, startSandbox, type Sandbox } from '../../sandbox'
import { compareFields } from '..'
import { toFieldKey } from '../../../definitions/emailsendx/identifyContact/metadata'
import { fieldLabel } from '../plan'

let folder: string
let sandbox: Sandbox
let account: Account
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'events-'))
  sandbox = await startSandbox({ port: 0 })
  account = await openAccount(sandbox.url, SANDBOX_KEY)
})
afterEach(async () => {
  await sandbox.close()
  await rm(folder, { recursive: true })
})

async function file(name: string, content: string | Buffer): Promise<string> {
  const full = path.join(folder, name)
  await writeFile(full, content)
  return full
}

const identify = (traits: object) => ({ type: 'identify', userId: 'user_1', traits })
const fieldsOf = async (...traits: object[]) => {
  const events = await file('events.json', JSON.stringify(traits.map(identify)))
  const { fields } = await compareFields([events], account, false)
  return Object.fromEntries(fields.map(({ name, ...field }) => [name, field]))
}

describe('the traits seen', () => {
  it('are those that arrive as metadata, under the names they arrive under', async () => {
    const fields = await fieldsOf(
      { email: 'morgan@acme.com', firstName: 'Morgan', plan: 'pro', address: { city: 'Lyon' }, empty: '' },
      { email: 'alex@startup.io', plan: 'free' }
    )
    expect(Object.keys(fields)).toEqual(['plan', 'address_city'])
    expect(fields.plan).toMatchObject({ seen: 2, type: 'text', key: 'plan', need: 'missing' })
  })

  it.each([
    ['numbers', [1, 2.5], 'number'],
    ['yes and no', [true, false], 'boolean'],
    ['dates', ['2026-01-15', '2026-01-15T10:00:00Z'], 'date'],
    ['lists', [['a']], 'text'],
    ['a mixture', [1, 'two'], 'text']
  ])('have a type that fits all their values: %s', async (_, values, type) => {
    expect((await fieldsOf(...values.map((value) => ({ trait: value })))).trait.type).toBe(type)
  })

  it.each([
    ['lines', (events: object[]) => events.map((event) => JSON.stringify(event)).join('\r\n')],
    ['an array over several lines', (events: object[]) => JSON.stringify(events, null, 2)],
    ['the batch of an SDK', (events: object[]) => JSON.stringify({ batch: events })],
    ['lines in gzip', (events: object[]) => gzipSync(events.map((event) => JSON.stringify(event)).join('\n'))]
  ])('are read from %s', async (kind, written) => {
    const content = written([identify({ plan: 'pro' }), { type: 'track', event: 'x' }, identify({ seats: 3 })])
    const events = await file(kind.includes('gzip') ? 'events.gz' : 'events.json', content)
    const report = await compareFields([events], account, false)
    expect(report.identifies).toBe(2)
    expect(report.fields.map(({ name }) => name)).toEqual(['plan', 'seats'])
  })

  it('are where RudderStack has them, too', async () => {
    const events = await file('events.json', JSON.stringify({ type: 'identify', context: { traits: { plan: 'pro' } } }))
    const { fields } = await compareFields([events], account, false)
    expect(fields.map(({ name }) => name)).toEqual(['plan'])
  })

  it('come from all files, and what is no JSON is named by file and line', async () => {
    const good = await file('good.json', JSON.stringify(identify({ plan: 'pro' })))
    const bad = await file('bad.ndjson', `${JSON.stringify(identify({ seats: 3 }))}\n{"type": "identify"`)
    await expect(compareFields([good, bad], account, false)).rejects.toThrow(`${bad}:2: the file is cut off`)
    await expect(compareFields([path.join(folder, 'absent')], account, false)).rejects.toThrow('absent')
  })
})

describe('a custom field', () => {
  it('has the key under which the destination sends the trait when Metadata Names says so', async () => {
    const fields = await fieldsOf({ signupSource: 'ad', 'Company Size': 'M', plan: 'pro' })
    for (const [name, { key }] of Object.entries(fields)) expect(key).toBe(toFieldKey(name))
    expect(fields.signupSource.key).toBe('signup_source')
    expect(fieldLabel('signup_source')).toBe('Signup source')
  })

  it('is missing for some traits, there for others, and not to be had when two traits want the same', async () => {
    await account.call('POST', 'custom-fields', { json: { key: 'plan', label: 'Plan' } })
    expect(
      await fieldsOf({ plan: 'pro', signupSource: 'ad', signup_source: 'landing', 年齢: 30, seats: 3 })
    ).toMatchObject({
      plan: { need: 'exists', key: 'plan' },
      seats: { need: 'missing', key: 'seats' },
      signupSource: { need: 'collides', key: 'signup_source', collidesWith: ['signup_source'] },
      signup_source: { need: 'collides', key: 'signup_source', collidesWith: ['signupSource'] },
      年齢: { need: 'no key' }
    })
  })
})

describe('--create', () => {
  it('makes those that are missing with their types, and a second time none', async () => {
    const traits = { plan: 'pro', seats: 3, renewsAt: '2026-12-01', signupSource: 'ad', signup_source: 'landing' }
    const events = await file('events.json', JSON.stringify(identify(traits)))
    const first = await compareFields([events], account, true)
    expect(first.created).toEqual(['plan', 'renews_at', 'seats'])
    const { body } = await account.call('GET', 'custom-fields')
    expect(body).toMatchObject({
      data: [
        { key: 'plan', label: 'Plan', type: 'text' },
        { key: 'renews_at', label: 'Renews at', type: 'date' },
        { key: 'seats', label: 'Seats', type: 'number' }
      ]
    })
    expect((await compareFields([events], account, true)).created).toEqual([])
  })

  it('says which scope the key lacks', async () => {
    const keys = `${sandbox.url}/_sandbox/keys/key_default`
    const restrict = (scopes: string[]) =>
      fetch(keys, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ scopes })
      })
    const events = await file('events.json', JSON.stringify(identify({ plan: 'pro' })))
    await restrict(['custom_fields:read'])
    await expect(compareFields([events], account, true)).rejects.toThrow('needs the scope custom_fields:write')
    await restrict([])
    await expect(compareFields([events], account, true)).rejects.toThrow('needs the scope custom_fields:read')
  })
})
