import type { ChildProcessByStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import type { Command } from 'commander'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { startBridge } from '../../bridge'
import { openQueue } from '../../bridge/queue'
import type { PartitionStatus } from '../../bridge/queue'
import { SANDBOX_KEY, startSandbox } from '../../sandbox'
import { bridgeCommand } from '../bridge'

const bin = path.join(__dirname, '../../../bin/run')
const key = 'esx_test_0123456789abcdef0123456789abcdef'

let folder: string
let store: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bridge-cli-'))
  store = path.join(folder, 'bridge.db')
})

afterEach(() => rm(folder, { recursive: true }))

/** Runs a command in this process; what it prints, or why it fails. */
async function run(...args: string[]): Promise<string> {
  const printed: string[] = []
  const log = jest.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line))
  try {
    const command = bridgeCommand().exitOverride()
    await command.parseAsync(['--store', store, ...args], { from: 'user' })
    return printed.join('\n')
  } finally {
    log.mockRestore()
  }
}

describe('bin/run bridge', () => {
  type Running = ChildProcessByStdio<null, Readable, Readable>

  function start(...args: string[]): Running {
    const env = { ...process.env, BRIDGE_STORE: store, BRIDGE_PORT: '0' }
    return spawn(process.execPath, [bin, 'bridge', ...args], { stdio: ['ignore', 'pipe', 'pipe'], env })
  }

  it('takes events in until SIGTERM, then ends with 0, has kept them and told nobody what is in them', async () => {
    const bridge = start('--api-url', 'http://127.0.0.1:9', '--log-level', 'trace')
    const log: string[] = []
    const lines = createInterface(bridge.stdout).on('line', (line) => log.push(line))
    const [line] = (await once(lines, 'line')) as [string]
    const { url } = JSON.parse(line) as { url: string }
    const response = await fetch(`${url}/api/segment/track`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify([{ type: 'identify', userId: 'user_12345', traits: { email: 'morgan@acme.com' } }, 'morgan'])
    })
    expect(response.status).toBe(200)
    expect((await fetch(`${url}/api/segment/track?morgan=1`, { method: 'POST' })).status).toBe(401)
    const ended = once(bridge, 'exit')
    bridge.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
    const queue = await openQueue(store)
    expect(await queue.stats()).toMatchObject({ events: 1, deadLetters: 1 })
    await queue.close()
    expect(log.length).toBeGreaterThan(3)
    expect(log.join()).not.toMatch(/esx_test|morgan|user_12345/)
  }, 20_000)

  it.each([
    [['--port', 'eighty'], 'It must be a whole number'],
    [['--wait', '1 hour'], 'It must be a duration such as'],
    [['--max-bytes', 'all'], 'It must be a size such as'],
    [['--on-unknown-outcome', 'guess'], 'It must be one of resend'],
    [['--api-url', 'http://emailsendx.com'], 'must be an https:// address'],
    [['--stoer', 'x'], "unknown option '--stoer'"]
  ])('refuses %j in one line', async (args, words) => {
    const failed = jest.spyOn(process.stderr, 'write').mockImplementation(() => true)
    await expect(run(...args)).rejects.toThrow(words)
    failed.mockRestore()
  })
})

it('every option of the bridge and the commands below it is in the docs, and the other way round', () => {
  const read = (name: string) => readFileSync(path.join(__dirname, '../../../docs', name), 'utf8')
  const docs = read('bridge.md') + read('operating.md')
  const told = new Set(docs.match(/(?<![\w-])--[a-z][a-z-]+/g))
  const optionsOf = ({ options, commands }: Command): string[] => [
    ...options.map(({ long }) => long ?? ''),
    ...commands.flatMap((command) => optionsOf(command))
  ]
  // --seconds is one of `npm run attack`.
  expect([...new Set([...optionsOf(bridgeCommand()), '--help', '--seconds'])].sort()).toEqual([...told].sort())
})

describe('bin/run bridge dead-letters', () => {
  beforeEach(async () => {
    const queue = await openQueue(store)
    const rejected = [
      { messageId: 'nothing', reason: 'nothing instead of an event', item: null },
      { messageId: 'evil\u001b[2J', reason: 'an event without a type', item: { userId: '\u009b2J' } }
    ]
    await queue.enqueue({ apiKey: key }, { events: [], rejected })
    await queue.close()
  })

  it('lists them as a table, without letting them speak to the terminal', async () => {
    const lines = (await run('dead-letters', 'list')).split('\n')
    expect(lines[0]).toMatch(/^id +died +partition +type +reason +messageId +detail$/)
    expect(lines[1]).toMatch(
      /^2 +\d{4}-\d\d-\d\dT[\d:]+Z +\w+ +rejected +rejected +evil\?\[2J +an event without a type$/
    )
    expect(lines).toHaveLength(3)
    expect((await run('dead-letters', 'list', '--limit', '1')).split('\n').at(-1)).toBe('1 of 2')
  })

  it('lists those that fit all filters', async () => {
    const found = async (...filters: string[]) => {
      const { deadLetters } = JSON.parse(await run('dead-letters', 'list', '--json', ...filters)) as {
        deadLetters: { id: number; partition: string }[]
      }
      return deadLetters.map(({ id }) => id)
    }
    expect(await found()).toEqual([2, 1])
    expect(await found('--message-id', 'nothing')).toEqual([1])
    expect(await found('--reason', 'rejected', '--type', 'rejected', '--since', '1h')).toEqual([2, 1])
    expect(await found('--until', '1h')).toEqual([])
    expect(await found('--since', '2026-01-15', '--before', '2')).toEqual([1])
    expect(await found('--reason', 'refused')).toEqual([])
    expect(await found('--partition', 'no such partition')).toEqual([])
  })

  it('shows one with all that was received', async () => {
    const shown = await run('dead-letters', 'show', '2')
    expect(shown).toContain('reason       rejected: an event without a type')
    expect(shown).toContain('"userId": "?2J"')
    expect(JSON.parse(await run('dead-letters', 'show', '1', '--json'))).toMatchObject({
      messageId: 'nothing',
      content: null
    })
  })

  it('retries and purges only what it is told to', async () => {
    expect(await run('dead-letters', 'retry', '--all')).toBe('0 to be delivered again, 2 kept: no events')
    expect(await run('dead-letters', 'purge', '1')).toBe('1 deleted')
    expect(await run('dead-letters', 'purge', '--reason', 'refused')).toBe('0 deleted')
    expect(await run('dead-letters', 'purge', '--all', '--json')).toBe('{"purged":1}')
    expect(await run('dead-letters', 'list')).toBe('no dead letters')
  })

  it.each([
    [['purge'], 'say which ones'],
    [['retry', 'abc'], '"abc" is no id'],
    [['show', '99'], 'there is no dead letter 99']
  ])('refuses %j in one line', (args, words) => expect(run('dead-letters', ...args)).rejects.toThrow(words))

  it('does not make a store where there is none', async () => {
    store = path.join(folder, 'other.db')
    await expect(run('dead-letters', 'list')).rejects.toThrow(`there is no store ${store}`)
  })
})

describe('bin/run bridge keys', () => {
  const event = {
    messageId: 'm1',
    type: 'track' as const,
    userId: 'u',
    event: { type: 'track', event: 'A' },
    options: {}
  }

  beforeEach(async () => {
    const queue = await openQueue(store)
    await queue.enqueue({ apiKey: key }, { events: [event], rejected: [] })
    await queue.enqueue({ apiKey: 'esx_test_other' }, { events: [event], rejected: [] })
    await queue.close()
  })

  const keys = async (...args: string[]) =>
    (JSON.parse(await run('keys', 'list', '--json', ...args)) as { keys: PartitionStatus[] }).keys

  it('lists them by how they begin, with what waits', async () => {
    const lines = (await run('keys', 'list')).split('\n')
    expect(lines[0]).toMatch(/^name +key +waiting +oldest +delivered +dead +calls left +state$/)
    expect(lines[1]).toMatch(/^\S{12} +esx_test_0123… +1 +\d+s +0 +0 +\? +not accepted yet$/)
    expect(lines).toHaveLength(3)
    expect(lines.join()).not.toContain(key)
  })

  it('tells of one at work how many calls it has left, if the operator has the token of the bridge', async () => {
    const adminToken = 'a-token-of-the-operator'
    const sandbox = await startSandbox({ port: 0, rateLimit: 50 })
    const bridge = await startBridge({ port: 0, store, apiUrl: sandbox.url, adminToken, logLevel: 'silent' })
    try {
      const headers = { authorization: `Bearer ${SANDBOX_KEY}` }
      const body = JSON.stringify({ type: 'identify', userId: 'u', traits: { email: 'morgan@acme.com' } })
      await fetch(`${bridge.url}/api/segment/track`, { method: 'POST', headers, body })
      const ofSandbox = async () => (await keys()).find(({ delivered }) => delivered === 2)
      while ((await ofSandbox()) === undefined) await new Promise((resolve) => setTimeout(resolve, 20))
      expect(await ofSandbox()).not.toHaveProperty('callsLeft')
      process.env.BRIDGE_PORT = String(bridge.port)
      process.env.BRIDGE_ADMIN_TOKEN = adminToken
      // Whether the key is good, the identify, and for the track who that is and the event.
      expect(await ofSandbox()).toMatchObject({ callsLeft: 46 })
    } finally {
      delete process.env.BRIDGE_PORT
      delete process.env.BRIDGE_ADMIN_TOKEN
      await bridge.close()
      await sandbox.close()
    }
  })

  it('pauses one until it is resumed, whatever else is opened meanwhile', async () => {
    const [{ partition }] = await keys()
    expect(await run('keys', 'pause', partition)).toBe('1 paused')
    expect(await keys(partition)).toMatchObject([{ partition, paused: true }])
    expect((await keys()).filter(({ paused }) => paused)).toHaveLength(1)
    expect(await run('keys', 'resume', partition, '--json')).toBe('{"changed":1}')
    expect((await keys()).filter(({ paused }) => paused)).toEqual([])
  })

  it('knows a key from stdin, which no command line shows', async () => {
    const pause = spawn(process.execPath, [bin, 'bridge', '--store', store, 'keys', 'pause', '--api-key', '-'])
    pause.stdin.end(`${key}\n`)
    expect(await once(pause, 'exit')).toEqual([0, null])
    expect((await keys()).filter(({ paused }) => paused)).toMatchObject([{ keyPrefix: 'esx_test_0123' }])
    await expect(run('keys', 'pause', '--api-key', key)).rejects.toThrow('everybody on this machine can see')
  }, 20_000)

  it('drops what waits for one, and only that', async () => {
    const [{ partition }] = await keys()
    expect(await run('keys', 'drop', partition)).toBe('1 events deleted')
    expect((await keys()).map(({ events }) => events).sort()).toEqual([0, 1])
    expect(await run('keys', 'drop', '--all')).toBe('1 events deleted')
  })

  it.each([
    [['pause'], 'say which ones'],
    [['drop', 'nobody'], 'there is no such key']
  ])('refuses %j in one line', (args, words) => expect(run('keys', ...args)).rejects.toThrow(words))

  it('reports where the calls went', async () => expect(await run('report')).toBe('no event has been fired yet'))
})

describe('bin/run bridge forget', () => {
  it('erases a person, and nobody else', async () => {
    const queue = await openQueue(store)
    const event = { messageId: 'm', type: 'track' as const, event: {}, options: {} }
    const [morgan, other] = ['morgan@acme.com', 'other@acme.com'].map((email) => ({
      ...event,
      messageId: email,
      email
    }))
    await queue.enqueue({ apiKey: key }, { events: [morgan, other], rejected: [] })
    await queue.close()
    expect(await run('forget', '--email', 'morgan@acme.com')).toMatch(/^1 events, 0 dead letters and \d+ ids erased$/)
    expect(JSON.parse(await run('forget', '--email', 'morgan@acme.com', '--json'))).toMatchObject({ events: 0 })
    await expect(run('forget')).rejects.toThrow('say who: --email or --user-id')
    const after = await openQueue(store)
    expect((await after.stats()).events).toBe(1)
    await after.close()
  })
})

describe('bin/run bridge move', () => {
  it('moves a store, and says what was in it', async () => {
    const queue = await openQueue(store)
    await queue.enqueue({ apiKey: key }, { events: [], rejected: [{ messageId: 'm', reason: 'No.', item: {} }] })
    await queue.close()
    const [second, third] = [path.join(folder, 'second.db'), path.join(folder, 'third.db')]
    expect(await run('move', store, second)).toBe(
      'moved 1 keys, 0 events, 1 dead letters, 1 messageIds and 0 ids of users'
    )
    expect(JSON.parse(await run('move', second, third, '--json'))).toMatchObject({ partitions: 1, deadLetters: 1 })
    await expect(run('keys', 'list')).rejects.toThrow(`The store was moved to ${second}. Start the bridge on that.`)
    await expect(run('move', path.join(folder, 'none.db'), second)).rejects.toThrow(/^There is no store/)
  })
})
