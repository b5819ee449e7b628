import { existsSync, mkdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { openQueue } from '../../bridge/queue'
import type { Plan } from '../plan'
import type { Report } from '../report'
import { Account } from './__helpers__/account'
import { Command, replayHere } from './__helpers__/command'

jest.setTimeout(240_000)

const START = Date.UTC(2026, 0, 1)
const KILLS = Number(process.env.REPLAY_KILLS ?? 2)

let account: Account
beforeEach(async () => {
  account = await Account.open()
})
afterEach(() => account.close())

/** People with two identifies and three events each, events of different people between each other. */
function history(people: number): string {
  const lines: object[] = []
  for (let n = 0; n < people * 5; n++) {
    const userId = `u${n % people}`
    const timestamp = new Date(START + n * 1000).toISOString()
    if (n < people * 2) {
      lines.push({
        type: 'identify',
        userId,
        timestamp,
        traits: { email: `${userId}@acme.com`, n, [`t${n < people}`]: 1 }
      })
    } else lines.push({ type: 'track', userId, timestamp, event: 'Step Done', properties: { n } })
  }
  return lines.map((line) => JSON.stringify(line)).join('\n')
}

const dir = () => path.join(account.files.folder, 'replay')

const inDir = () => ['--dir', dir(), '--api-url', account.sandbox.url]
const FAST = ['--budget', '1000000']

function start(args: string[], input?: string): Command {
  return new Command([...args, ...inDir()], { EMAILSENDX_API_KEY: account.key }, input)
}

/** Nobody is asked, where the tests run on a terminal. */
function replay(...args: string[]): Promise<string> {
  return replayHere([...FAST, ...args, ...inDir(), '--yes'], account.key)
}

async function report(): Promise<Report> {
  return JSON.parse(await replayHere(['status', '--json', '--dir', dir()], account.key)) as Report
}

describe('bin/run replay', () => {
  it('makes the calls that --dry-run tells, of several files at once, and leaves what is bad as dead letters', async () => {
    const { files } = account
    const inputs = [
      files.write('history.json.gz', gzipSync(`${history(120)}\nmorgan\n`)),
      files.write('crm.csv', '\ufeffE-Mail;City\r\nu1@acme.com;Rome\r\nnew@acme.com;"Nice"\r\n'),
      files.write('more.json', '[{"type":"identify","userId":"u2","traits":{"vip":true}},{"type":"page"}]')
    ]
    const options = ['--map', 'E-Mail=email', '--map', 'City=city', '--fire-events-since', '2026-01-01T00:08:00Z']
    const dry = await replay(...inputs, ...options, '--dry-run', '--json')
    expect(await account.calls()).toBe(0)
    expect(existsSync(dir())).toBe(false)
    const plan = JSON.parse(dry) as Plan
    expect(plan).toMatchObject({ people: 121, firing: { count: 120, people: 120 }, undeliverable: { count: 1 } })

    const { code, out } = await start([...FAST, ...inputs, ...options]).ended
    expect(code).toBe(0)
    expect(out).toContain('241 of 241 delivered')
    expect(await account.calls()).toBe(plan.calls.total)
    expect(await report()).toMatchObject({ delivered: 241, waiting: 0, dead: 0, calls: { planned: 124, made: 124 } })

    const contacts = account.contacts()
    expect(contacts).toHaveLength(121)
    expect(contacts.find(({ email }) => email === 'u1@acme.com')?.metadata).toEqual({
      n: 121,
      ttrue: 1,
      tfalse: 1,
      city: 'Rome'
    })
    expect(contacts.find(({ email }) => email === 'u2@acme.com')?.metadata).toMatchObject({ vip: true })
    expect(account.events().map(({ data }) => data.n)).toEqual(Array.from({ length: 120 }, (_, n) => n + 480))

    const queue = await openQueue(path.join(dir(), 'queue.db'))
    const [letter, ...others] = await queue.deadLetters.list({})
    expect(others).toEqual([])
    expect(letter).toMatchObject({ type: 'rejected', detail: `${inputs[0]}:601: not JSON` })
    await queue.close()
  })

  it('looks contacts up one by one when EmailSendX has so many others that pages of them would cost more', async () => {
    await account.add(Array.from({ length: 20 }, (_, n) => `u${n}@acme.com`))
    for (let batch = 0; batch < 3; batch++) {
      await account.add(Array.from({ length: 1_000 }, (_, n) => `other${batch}.${n}@acme.com`))
    }
    const before = await account.calls()
    await replay(account.files.write('history', history(20)), '--fire-events-since', '2026-01-01')
    // One for the key, one for the contacts, one page, then two for the first event of each of 20 and one for the others.
    expect((await account.calls()) - before).toBe(3 + 20 + 60)
    expect(account.events()).toHaveLength(60)
  })

  it('goes on where it was when it is killed, again and again, and fires nothing twice', async () => {
    const file = account.files.write('history', history(30))
    const args = [file, '--fire-events-since', '2026-01-01']
    let kills = 0
    while (kills < KILLS) {
      const command = start([...args, '--budget', '4000'])
      while (!existsSync(path.join(dir(), 'queue.db'))) await setTimeout(10)
      const before = account.count('events')
      while (account.count('events') === before && before < 90) await setTimeout(10)
      await setTimeout(Math.random() * 200)
      if (!(await command.kill('SIGKILL'))) break
      kills++
    }
    await replay(...args)
    const { delivered, dead, waiting, total } = await report()
    expect({ sum: (delivered ?? 0) + (dead ?? 0), waiting }).toEqual({ sum: total, waiting: 0 })
    expect(total).toBe(120)
    const fired = account.events().map(({ data }) => data.n as number)
    expect(new Set(fired).size).toBe(fired.length)
    expect(fired).toEqual([...fired].sort((one, other) => one - other))
    // A kill may catch an event between being fired and being known to be: it is a dead letter then.
    expect(dead).toBeLessThanOrEqual(kills)
    expect(fired.length).toBeGreaterThanOrEqual(90 - kills)
    expect(account.contacts()).toHaveLength(30)
  })

  it('keeps to its budget, stops when told to, and goes on without its files', async () => {
    const events = history(5)
    const command = start(['-', '--fire-events-since', '2026-01-01', '--budget', '600'], events)
    while (account.count('events') < 3) await setTimeout(10)
    expect(await command.kill('SIGINT')).toBe(true)
    expect(await command.ended).toMatchObject({
      code: 130,
      err: expect.stringContaining('stopped. To go on: bin/run replay')
    })

    const begun = performance.now()
    const before = await account.calls()
    await replay('--budget', '600')
    const took = performance.now() - begun
    const calls = (await account.calls()) - before
    expect(await report()).toMatchObject({ total: 20, delivered: 20, dead: 0 })
    // The first portion and the last one need not wait.
    expect(took).toBeGreaterThan((calls - 20) * 100)
    expect(account.events().map(({ data }) => data.n)).toEqual(Array.from({ length: 15 }, (_, n) => n + 10))
  })

  it('sends nothing again when it is started again, and nothing else from the same folder', async () => {
    const file = account.files.write('history', history(3))
    mkdirSync(dir(), { recursive: true, mode: 0o755 })
    await replay(file)
    expect(account.events()).toEqual([])
    // It holds what the files hold, and the folder may be anybody's.
    for (const kept of ['history.db', 'queue.db']) expect(statSync(path.join(dir(), kept)).mode & 0o077).toBe(0)
    const calls = await account.calls()
    expect(await replay(file)).toContain('3 of 3 delivered')
    await expect(replay(account.files.write('other', history(2)))).rejects.toThrow(
      'holds a replay of other files or options: name another folder with --dir'
    )
    expect(await account.calls()).toBe(calls)
  })

  it('begins from the start with the right key when the first one was refused', async () => {
    const file = account.files.write('history', history(3))
    const wrong = { EMAILSENDX_API_KEY: 'esx_live_wrong_key' }
    const refused = await new Command([file, ...inDir()], wrong).ended
    expect(refused.code).toBe(1)
    expect(refused.err).toMatch(/^error: .*key/m)
    expect(refused.out + refused.err).not.toContain('wrong_key')
    await replay(file)
    expect(account.contacts()).toHaveLength(3)
  })

  it('refuses what is not there in one line', async () => {
    const { code, err } = await start(['gone.json']).ended
    expect(code).toBe(1)
    expect(err).toContain('there is no file gone.json')
    expect(err).not.toContain('    at ')
  })

  it.each([
    [[], 'there is no replay in'],
    [['--api-url', 'http://emailsendx.com', __filename], 'must be an https:// address'],
    [['--budget', '0', __filename], 'It must be an integer from 1'],
    [['--fire-events-since', '7d', __filename], 'It must be a date such as 2026-11-01'],
    [['--map', 'x'], 'It must be COLUMN=FIELD'],
    [['--store', 'gone.db', __filename], 'there is no store gone.db']
  ])('refuses %j', async (args, words) => {
    await expect(replayHere(['--dir', dir(), ...args], account.key)).rejects.toThrow(words)
  })
})
