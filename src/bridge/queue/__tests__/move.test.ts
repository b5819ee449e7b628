import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { startSandbox, SANDBOX_KEY } from '../../../sandbox'
import { execArgv } from '../../../typescript'
import { startBridge } from '../..'
import { moveStore, openQueue } from '..'
import type { Queue } from '..'
import { emailKey, userKey } from '../keys'
import { identify, track } from './__helpers__/events'
import { prove } from './__helpers__/prove'
import { everythingIn, freshSchema, SECRET, sqliteFiles } from './__helpers__/stores'

jest.setTimeout(120_000)

const { fresh } = sqliteFiles()

/** Those that are delivered in the end, and those that only make the store large. */
const EVENTS = 100
const PAUSED = 1_000
const STATE = { pausedUntil: 0, failures: 0, slow: false, succeeded: true, tried: true }
const emailOf = (index: number) => `user${index % 7}@example.com`

/** A store with something in every table. */
async function fill(target: string): Promise<void> {
  const queue = await openQueue(target, { secret: SECRET })
  await prove(queue, SANDBOX_KEY, 'esx_test_paused', 'esx_test_worked')
  for (let user = 0; user < 7; user++) await take(queue, SANDBOX_KEY, identify({ email: emailOf(user) }))
  const events = Array.from({ length: EVENTS }, (_, n) =>
    track({ email: emailOf(n), messageId: `m${n}` }, 'stepped', { n })
  )
  await take(queue, SANDBOX_KEY, ...events)
  for (let taken = 0; taken < PAUSED; taken += 500) {
    await take(queue, 'esx_test_paused', ...Array.from({ length: 500 }, () => track({ email: 'ann@example.com' })))
  }
  await queue.partitions.pause({ apiKey: 'esx_test_paused' })
  await queue.partitions.pause({ apiKey: SANDBOX_KEY })

  await take(queue, 'esx_test_worked', ...Array.from({ length: 4 }, () => track({ userId: 'ann' })))
  await queue.runs.heartbeat('worker', 10_000)
  const [partition] = await queue.runs.claim('worker', { pool: 'normal', limit: 1 })
  const ids = (await queue.runs.head(partition, { rows: 9, bytes: 1e6 })).events.map(({ id }) => id)
  await queue.runs.markFiring(partition, ids[3])
  await queue.runs.ack(partition, {
    delivered: [ids[0]],
    dead: [{ ids: [ids[1]], reason: 'refused', detail: 'No.' }],
    deferred: [{ id: ids[2], for: 'email', until: Date.now() + 1e6, keys: [userKey('ann')], blocks: 'track' }],
    links: [{ key: userKey('ann'), email: 'ann@example.com' }],
    contacts: [{ key: emailKey('ann@example.com'), contactId: 'clx1' }],
    traits: [{ key: emailKey('ann@example.com'), names: ['plan'] }],
    fired: [{ name: 'stepped', matches: 2 }]
  })
  await queue.runs.release(partition, { ...STATE, suspended: { status: 403, reason: 'No scope.' } })
  await queue.runs.deregister('worker')
  await queue.prune()
  await queue.close()
}

function take(queue: Queue, apiKey: string, ...events: ReturnType<typeof track>[]) {
  return queue.enqueue({ apiKey }, { events, rejected: [] })
}

/** Moves in a process that is killed with SIGKILL again and again, each time a little further on. @returns the kills */
async function moveKilled(from: string, to: string): Promise<number> {
  for (let kills = 0, reached = 0; ; kills++) {
    const mover = fork(require.resolve('./__helpers__/mover.ts'), [from, to, SECRET], { execArgv })
    const isFurther = reached
    mover.on('message', (done: number) => {
      if (done < isFurther + 1_000) return
      reached = done
      mover.kill('SIGKILL')
    })
    const [code] = (await once(mover, 'exit')) as [number | null]
    if (code !== null) {
      expect(code).toBe(0)
      return kills
    }
  }
}

describe.each([
  ['SQLite to Postgres', fresh, freshSchema],
  ['Postgres to SQLite', freshSchema, fresh]
])('a move from %s', (_, oldPlace, newPlace) => {
  it('that is killed again and again takes everything along, once, and a bridge delivers it in order', async () => {
    const [from, to] = [await oldPlace(), await newPlace()]
    await fill(from)
    const before = await everythingIn(from)
    expect(await moveKilled(from, to)).toBeGreaterThan(1)

    const after = await everythingIn(to)
    for (const table of Object.keys(before)) {
      expect(before[table].length).toBeGreaterThan(/^message_ids_/.test(table) ? -1 : 0)
      expect([table, after[table]]).toEqual([table, before[table]])
    }
    await expect(startBridge({ store: from, secret: SECRET, port: 0 })).rejects.toThrow(
      /^The store was moved to [^\n]*\. Start the bridge on that\.$/
    )
    const queue = await openQueue(to, { secret: SECRET })
    expect(await take(queue, SANDBOX_KEY, track({ messageId: 'm17' }))).toEqual({ accepted: 0, duplicates: 1 })
    expect(await take(queue, 'esx_test_another', track())).toEqual({ accepted: 1, duplicates: 0 })
    await queue.enqueue({ apiKey: SANDBOX_KEY }, { events: [], rejected: [{ messageId: 'r', reason: 'No.', item: 1 }] })
    await queue.partitions.drop({ apiKey: 'esx_test_another' })
    await queue.partitions.resume({ apiKey: SANDBOX_KEY })

    const fired: number[] = []
    const sandbox = await startSandbox({ port: 0, rateLimit: 1e6 })
    const bridge = await startBridge({ store: to, secret: SECRET, port: 0, apiUrl: sandbox.url, logLevel: 'silent' })
    try {
      while ((await queue.partitions.list({ apiKey: SANDBOX_KEY }))[0].events > 0) {
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      const { totals } = (await (await fetch(`${sandbox.url}/_sandbox/state`)).json()) as { totals: { events: number } }
      expect(totals.events).toBe(EVENTS)
      for (let user = 0; user < 7; user++) {
        const response = await fetch(`${sandbox.url}/_sandbox/state?email=${emailOf(user)}`)
        const { events } = (await response.json()) as { events: { data: { n: number } }[] }
        fired.push(...events.map(({ data }) => data.n))
        const newestFirst = events.map(({ data }) => data.n)
        expect(newestFirst).toEqual([...newestFirst].sort((one, other) => other - one))
      }
      expect(new Set(fired).size).toBe(fired.length)
    } finally {
      await bridge.close()
      await queue.close()
      await sandbox.close()
    }
  })
})

describe('a move', () => {
  async function small(secret?: string): Promise<string> {
    const target = await fresh()
    const queue = await openQueue(target, { secret })
    await take(queue, 'esx_test_one', track())
    await queue.close()
    return target
  }

  it('takes the secret of a file along', async () => {
    const [from, to] = [await small(), await fresh()]
    expect(await moveStore(from, to)).toEqual({
      partitions: 1,
      events: 1,
      deadLetters: 0,
      messageIds: 1,
      identityLinks: 0
    })
    expect(readFileSync(`${to}.secret`, 'utf8')).toBe(readFileSync(`${from}.secret`, 'utf8'))
    const queue = await openQueue(to)
    expect((await queue.partitions.list())[0].keyPrefix).toBe('esx_test_one')
    await queue.close()
    await expect(moveStore(from, await fresh())).rejects.toThrow(/was moved already, to/)
  })

  it('is refused while a bridge runs on either', async () => {
    const [from, to] = [await small(), await fresh()]
    for (const store of [from, to]) {
      const bridge = await startBridge({ store, port: 0, logLevel: 'silent', apiUrl: 'http://127.0.0.1:9' })
      rmSync(`${to}.secret`, { force: true })
      await expect(moveStore(from, to)).rejects.toThrow(
        /^A bridge is running on .*, or was a few seconds ago\. Stop it/
      )
      await bridge.close()
    }
  })

  it('is refused into a store that has something in it or another secret, and leaves both as they were', async () => {
    const [from, to] = [await small(SECRET), await small(SECRET)]
    await expect(moveStore(from, to, { secret: SECRET })).rejects.toThrow(/ is not empty\. Name an empty store\.$/)
    await expect(moveStore(await small(), to)).rejects.toThrow(/made with another secret/)
    for (const store of [from, to]) await (await openQueue(store, { secret: SECRET })).close()
  })

  it('that is not done keeps bridges from both stores, and can be done into another one', async () => {
    const [from, lost, to] = [await small(SECRET), await fresh(), await fresh()]
    const stopped = new Error('stopped')
    const progress = () => {
      throw stopped
    }
    const secret = SECRET
    await expect(moveStore(from, lost, { secret, progress })).rejects.toThrow(stopped)
    await expect(openQueue(from, { secret })).rejects.toThrow(/^The store is being moved to .*Let "bridge move" end/)
    await expect(openQueue(lost, { secret })).rejects.toThrow(/^The store is being filled from .*Let "bridge move" end/)
    await expect(moveStore(await small(SECRET), lost, { secret })).rejects.toThrow(/is not empty/)
    await expect(moveStore(lost, await fresh(), { secret })).rejects.toThrow(/has not got everything from/)

    expect(await moveStore(from, to, { secret })).toMatchObject({ events: 1 })
    await expect(moveStore(from, lost, { secret })).rejects.toThrow(/was moved already, to/)
    await (await openQueue(to, { secret })).close()
  })
})
