import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { startBridge } from '../../bridge'
import type { Bridge } from '../../bridge'
import { SECRET, stores } from '../../bridge/queue/__tests__/__helpers__/stores'
import { Account } from './__helpers__/account'
import { Command } from './__helpers__/command'

jest.setTimeout(240_000)

const PEOPLE = 1_200
const DAY = Date.UTC(2026, 0, 1)
/** The last one, by address. */
const LAST = 999

describe.each(['SQLite', 'Postgres'] as const)("a replay through a bridge's store on %s", (engine) => {
  const { fresh } = stores(engine)
  let account: Account
  let bridge: Bridge
  let store: string
  beforeEach(async () => {
    account = await Account.open()
    store = await fresh()
    const { url: apiUrl } = account.sandbox
    bridge = await startBridge({ port: 0, store, secret: SECRET, apiUrl, logLevel: 'silent' })
  })
  afterEach(async () => {
    await bridge.close()
    await account.close()
  })

  async function live(...events: object[]): Promise<void> {
    const headers = { authorization: `Bearer ${account.key}` }
    const body = JSON.stringify(events)
    const { status } = await fetch(`${bridge.url}/api/segment/track`, { method: 'POST', headers, body })
    expect(status).toBe(200)
  }

  async function until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await setTimeout(20)
  }

  const traitsOf = (email: string) => account.contacts().find((contact) => contact.email === email)?.metadata

  it('leaves alone what live identifies have set, before it and meanwhile, and fires no event that was fired live', async () => {
    const bought = { type: 'track', event: 'Bought', messageId: 'm1', timestamp: new Date(DAY + 5).toISOString() }
    await live(
      { type: 'identify', userId: 'u1', traits: { email: 'p1@acme.com', plan: 'live' } },
      { ...bought, userId: 'u1', properties: { n: 1 } }
    )
    await until(() => account.count('events') === 1)

    const lines: object[] = Array.from({ length: PEOPLE }, (_, n) => ({
      type: 'identify',
      userId: `u${n}`,
      timestamp: new Date(DAY).toISOString(),
      traits: { email: `p${n}@acme.com`, plan: 'old', since: 2020 }
    }))
    lines.push({ ...bought, userId: 'u1', properties: { n: 1 } })
    lines.push({ ...bought, userId: 'u2', messageId: 'm2', properties: { n: 2 } })
    const file = account.files.write('history', lines.map((line) => JSON.stringify(line)).join('\n'))
    const dir = path.join(account.files.folder, 'replay')
    const args = [file, '--dir', dir, '--store', store, '--fire-events-since', '2026-01-01', '--budget', '600']
    const command = new Command(args, { EMAILSENDX_API_KEY: account.key, BRIDGE_SECRET: SECRET })
    await until(() => account.count('contacts') > 1)
    await live({
      type: 'identify',
      userId: `u${LAST}`,
      traits: { email: `p${LAST}@acme.com`, plan: 'live' }
    })

    expect(await command.ended).toMatchObject({
      code: 0,
      out: expect.stringContaining('1,202 of 1,202 handed to the bridge')
    })
    await until(() => account.count('events') === 2)
    expect(account.events().map(({ email, data }) => [email, data.n])).toEqual([
      ['p1@acme.com', 1],
      ['p2@acme.com', 2]
    ])
    await until(() => account.count('contacts') === PEOPLE)
    expect(traitsOf('p1@acme.com')).toEqual({ plan: 'live', since: 2020 })
    expect(traitsOf('p2@acme.com')).toEqual({ plan: 'old', since: 2020 })
    expect(traitsOf(`p${LAST}@acme.com`)).toEqual({ plan: 'live', since: 2020 })
  })
})
