import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Client } from 'pg'
import { execArgv } from '../../../typescript'
import { openQueue, QueueUnavailable, QueueUnusable } from '..'
import type { Queue, QueueOptions } from '..'
import { track } from './__helpers__/events'
import { prove } from './__helpers__/prove'
import { PostgresServer } from './__helpers__/postgres'
import { SECRET, sqliteFiles } from './__helpers__/stores'

const key = { apiKey: 'esx_test_one' }
const { fresh } = sqliteFiles()
const opened: Queue[] = []

async function open(target: string, options: QueueOptions = {}): Promise<Queue> {
  const queue = await openQueue(target, { secret: SECRET, ...options })
  opened.push(queue)
  return queue
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((queue) => queue.close()))
})

async function take(queue: Queue, ...events: ReturnType<typeof track>[]) {
  return queue.enqueue(key, { events, rejected: [] })
}

async function deliver(queue: Queue, rows: number): Promise<string[]> {
  await queue.runs.heartbeat('worker', 10_000)
  const [partition] = [
    ...(await queue.runs.claim('worker', { pool: 'normal', limit: 1 })),
    ...(await queue.runs.claim('worker', { pool: 'unproven', limit: 1 }))
  ]
  const { events } = await queue.runs.head(partition, { rows, bytes: 1e9 })
  await queue.runs.ack(partition, { delivered: events.map(({ id }) => id) })
  await queue.runs.release(partition, { pausedUntil: 0, failures: 0, slow: false, succeeded: true, tried: true })
  return events.map(({ event }) => event.messageId)
}

describe('a SQLite file', () => {
  it('on a full disk takes nothing by halves, keeps what it has, and goes on when there is room', async () => {
    const target = await fresh()
    const queue = await open(target, { maxPages: 120 })
    const acknowledged: string[] = []
    let refusal: unknown
    while (refusal === undefined) {
      const events = Array.from({ length: 5 }, () => track({}, 'x', { pad: 'x'.repeat(2000) }))
      await take(queue, ...events).then(
        () => acknowledged.push(...events.map(({ messageId }) => messageId)),
        (error) => (refusal = error)
      )
    }
    expect(refusal).toEqual(new QueueUnavailable("The store can't be used: the disk is full."))
    expect((await queue.stats()).events).toBe(acknowledged.length)

    expect(await deliver(queue, 20)).toEqual(acknowledged.slice(0, 20))
    const later = track()
    expect(await take(queue, later)).toMatchObject({ accepted: 1 })
    await queue.close()
    const again = await open(target)
    expect(await deliver(again, 1000)).toEqual([...acknowledged.slice(20), later.messageId])
  })

  it('keeps room on a full disk for what delivering writes, and is not well by then', async () => {
    const queue = await open(await fresh(), { maxPages: 200 })
    await prove(queue, key.apiKey)
    let taken = 0
    const event = () => track({}, 'x', { pad: 'x'.repeat(2000) })
    while (
      await take(queue, event()).then(
        () => true,
        () => false
      )
    )
      taken++
    await expect(queue.ping()).rejects.toThrow('the disk is full')

    await queue.runs.heartbeat('worker', 10_000)
    const [partition] = await queue.runs.claim('worker', { pool: 'normal', limit: 1 })
    const { events } = await queue.runs.head(partition, { rows: 1000, bytes: 1e9 })
    for (const { id, event } of events) {
      await queue.runs.markFiring(partition, id)
      const links = [{ key: event.messageId, email: `${event.messageId}@example.com` }]
      await queue.runs.ack(partition, { delivered: [id], links })
    }
    expect(events).toHaveLength(taken)
    await queue.ping()
    expect(await take(queue, event())).toMatchObject({ accepted: 1 })
  })

  it('can be read by its owner only, with all that is beside it', async () => {
    const target = await fresh()
    writeFileSync(target, '')
    chmodSync(target, 0o644)
    const queue = await open(target)
    await take(queue, track())
    const modes = [target, `${target}-wal`, `${target}-shm`].map((file) => statSync(file).mode & 0o777)
    expect(modes).toEqual([0o600, 0o600, 0o600])
  })

  it('that is gone takes nothing more, and says so', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'bridge-gone-'))
    const queue = await open(path.join(folder, 'store.db'))
    await take(queue, track())
    rmSync(folder, { recursive: true })
    await expect(take(queue, track())).rejects.toThrow(/its file .* is gone: it was moved or deleted/)
    await expect(queue.ping()).rejects.toThrow(QueueUnavailable)
  })

  it('gets smaller again when what was in it is delivered', async () => {
    const target = await fresh()
    const queue = await open(target)
    await prove(queue, key.apiKey)
    for (let n = 0; n < 12; n++) {
      await take(queue, ...Array.from({ length: 100 }, () => track({}, 'x', { pad: 'x'.repeat(30_000) })))
    }
    await deliver(queue, 1_200)
    await queue.close()
    const full = statSync(target).size
    const again = await open(target)
    for (let beat = 0; beat < 10; beat++) await again.runs.heartbeat('worker', 10_000)
    await again.close()
    expect(statSync(target).size).toBeLessThan(full - 10 * 400 * 4096)
  })

  it('spares other requests the fate of one that does not fit any more', async () => {
    const queue = await open(await fresh(), { maxPages: 120 })
    const answers = await Promise.allSettled([
      take(queue, track()),
      take(queue, track({}, 'x', { pad: 'x'.repeat(1_000_000) })),
      take(queue, track())
    ])
    expect(answers[1]).toMatchObject({ status: 'rejected' })
    expect(await take(queue, track())).toMatchObject({ accepted: 1 })
  })

  it('that is none is refused, and left as it is', async () => {
    const target = await fresh()
    const text = 'This is a diary, not a database. '.repeat(300)
    writeFileSync(target, text)
    await expect(open(target)).rejects.toThrow(
      `The store ${target} can't be opened: the file is damaged, or is no SQLite database.`
    )
    expect(readFileSync(target, 'utf8')).toBe(text)
  })

  it('that is damaged refuses to answer wrongly', async () => {
    const target = await fresh()
    const queue = await open(target)
    await take(queue, ...Array.from({ length: 300 }, () => track({}, 'x', { pad: 'x'.repeat(500) })))
    await queue.close()
    truncateSync(target, Math.floor(statSync(target).size / 2))
    const failure = await open(target)
      .then((again) => deliver(again, 1000))
      .catch((error: Error) => error)
    expect(failure).toBeInstanceOf(Error)
    expect((failure as Error).message).toContain('the file is damaged')
  })

  it('that may not be written is refused', async () => {
    const target = await fresh()
    await (await open(target)).close()
    chmodSync(target, 0o444)
    chmodSync(path.dirname(target), 0o555)
    try {
      const script = `const { openQueue } = require(${JSON.stringify(path.join(__dirname, '..'))})
        openQueue(${JSON.stringify(target)}, { secret: ${JSON.stringify(SECRET)} }).then(
          () => console.log('opened'), (error) => { console.log(error.name + ': ' + error.message) })`
      // Nothing is read-only to root, so somebody else tries.
      const isRoot = process.getuid?.() === 0
      const said = execFileSync(process.execPath, [...execArgv, '-e', script], {
        encoding: 'utf8',
        ...(isRoot && { uid: 65_534, gid: 65_534 })
      })
      expect(said).toMatch(/^QueueUnusable: .*(read-only|can't be opened)/)
    } finally {
      chmodSync(path.dirname(target), 0o755)
    }
  })

  it('in a folder that does not exist is refused', async () => {
    await expect(open('/nowhere/at/all.db')).rejects.toThrow(
      'The folder of the store /nowhere/at/all.db does not exist. Create it, or name another place.'
    )
  })

  it('makes its own secret, which only its owner may read', async () => {
    const target = await fresh()
    await (await open(target, { secret: undefined })).close()
    expect(statSync(`${target}.secret`).mode & 0o777).toBe(0o600)
    await (await open(target, { secret: undefined })).close()
    await expect(open(target)).rejects.toThrow(/made with another secret/)

    chmodSync(`${target}.secret`, 0o644)
    await expect(open(target, { secret: undefined })).rejects.toThrow(`Run: chmod 600 ${target}.secret`)
  })

  it('does not invent a new secret for a store that has lost its own', async () => {
    const target = await fresh()
    await (await open(target, { secret: undefined })).close()
    execFileSync('rm', [`${target}.secret`])
    await expect(open(target, { secret: undefined })).rejects.toThrow(QueueUnusable)
    expect(existsSync(`${target}.secret`)).toBe(false)
  })
})

describe('a Postgres database', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await PostgresServer.start()
  }, 60_000)
  afterAll(() => server.end())

  it('that goes away refuses requests at once, loses nothing, and goes on when it is back', async () => {
    const queue = await open(await server.freshSchema())
    const events = Array.from({ length: 10 }, () => track())
    await take(queue, ...events)

    await server.turn('stop')
    const begun = performance.now()
    await expect(take(queue, track())).rejects.toThrow(QueueUnavailable)
    await expect(queue.ping()).rejects.toThrow(/^The Postgres store can't be used: /)
    expect(performance.now() - begun).toBeLessThan(4_000)

    await server.turn('start')
    expect(await take(queue, ...events)).toEqual({ accepted: 0, duplicates: 10 })
    expect(await deliver(queue, 100)).toEqual(events.map(({ messageId }) => messageId))
  })

  it('that undoes a transaction, for a deadlock, is asked to do it again', async () => {
    const target = await server.freshSchema()
    const queue = await open(target)
    await prove(queue, 'one', 'two')
    const other = new Client(target)
    await other.connect()
    // So that it is the bridge's transaction that is undone.
    await other.query(`SET deadlock_timeout = '1min'; BEGIN; SELECT 1 FROM partitions WHERE id = 2 FOR UPDATE`)
    const taken = Promise.all(
      ['one', 'two'].map((apiKey) => queue.enqueue({ apiKey }, { events: [track()], rejected: [] }))
    )
    const isWaited = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FROM partitions%'`
    while ((await other.query(isWaited)).rowCount === 0) await other.query('SELECT pg_stat_clear_snapshot()')
    await other.query('SELECT 1 FROM partitions WHERE id = 1 FOR UPDATE; COMMIT')
    await other.end()
    expect(await taken).toEqual([
      { accepted: 1, duplicates: 0 },
      { accepted: 1, duplicates: 0 }
    ])
  })

  it('that undoes transactions, since they are all serializable, is asked to do them again', async () => {
    const target = await server.freshSchema()
    const serializable = `${target}%20-c%20default_transaction_isolation%3Dserializable`
    const queues = [await open(serializable), await open(serializable)]
    await prove(queues[0], key.apiKey)
    const events = Array.from({ length: 20 }, () => track())
    for (const event of events) await Promise.all(queues.map((queue) => take(queue, event)))
    expect(await deliver(queues[0], 100)).toEqual(events.map(({ messageId }) => messageId))
  })

  it('has keys that begin with the partition in all tables but five small ones', async () => {
    const target = await server.freshSchema()
    await open(target)
    const client = new Client(target)
    await client.connect()
    const { rows } = await client.query<{ name: string; first: string }>(
      `SELECT relname AS name, attname AS first FROM pg_index
        JOIN pg_class ON pg_class.oid = indrelid JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
        WHERE indisprimary AND relnamespace = current_schema()::regnamespace`
    )
    await client.end()
    const others = rows.filter(({ first }) => first !== 'partition_id').map(({ name }) => name)
    expect(others.sort()).toEqual(['message_id_spans', 'meta', 'partitions', 'schema_versions', 'workers'])
    expect(rows.length).toBeGreaterThan(10)
  })

  it('that can not be reached is refused with the reason', async () => {
    await expect(open('postgres://user:password@127.0.0.1:1/none')).rejects.toThrow(
      /^The Postgres store can't be reached: connect ECONNREFUSED/
    )
    await expect(openQueue(await server.freshSchema())).rejects.toThrow(/needs a secret.*Set BRIDGE_SECRET/)
  })
})
