import type { ChildProcess } from 'child_process'
import { fork } from 'child_process'
import { randomUUID } from 'crypto'
import { once } from 'events'
import { mkdtemp, rm } from 'fs/promises'
import { tmpdir } from 'os'
import path from 'path'
import { startBridge } from '../src/bridge'
import { SANDBOX_KEY, startSandbox } from '../src/sandbox'
import type { BridgeEvent } from '../src/bridge/event'
import { openQueue } from '../src/bridge/queue'
import { identify, track } from '../src/bridge/queue/__tests__/__helpers__/events'
import { prove } from '../src/bridge/queue/__tests__/__helpers__/prove'
import { PostgresServer, runSql, SECRET } from '../src/bridge/queue/__tests__/__helpers__/stores'
import { KEY, kilobyteEvent, load } from './bridge/load'
import type { Load } from './bridge/load'
import { startRedis } from './bridge/servers'
import type { Redis } from './bridge/servers'

/*
 * What the bridge costs, as ratios within one run: machines differ, ratios hardly do. Prints, asserts nothing. With names of
 * parts it measures just those: `npm run bench:bridge -- intake keys delivery backlog calls`.
 */

const SECONDS = 3
const ROUNDS = 3
const CONNECTIONS = 64
const BACKLOG = 300_000
const IDLE_KEYS = 200_000
/** Keys whose events are delivered, and how many users each has, with an identify and a track each. */
const BUSY_KEYS = 400
const USERS = 3
/** A bulk call for the identifies of a key; then the contact of each user is looked up and its event fired. */
const CALLS = BUSY_KEYS * (1 + 2 * USERS)

const KEYS = Array.from({ length: BUSY_KEYS }, (_, n) => `esx_test_key_${n}`)

interface Bench {
  folder: string
  postgres: PostgresServer
  /** Undefined: there is no redis-server on this machine. */
  redis?: Redis
}

const parts: Record<string, (bench: Bench) => Promise<void>> = {
  async intake(bench) {
    await intake(bench, 1, 'single events of 1 KB')
    await intake(bench, 100, 'arrays of 100 events of 1 KB')
  },
  keys,
  delivery,
  backlog,
  calls
}

async function main(names: string[]): Promise<void> {
  const unknown = names.filter((name) => !(name in parts))
  if (unknown.length > 0)
    throw new Error(`no such part: ${unknown.join(', ')}. There are ${Object.keys(parts).join(', ')}.`)
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-bridge-'))
  const postgres = await PostgresServer.start({ durable: true })
  const redis = await startRedis()
  if (!redis) console.log('There is no redis-server on this machine: Express + BullMQ + Redis is left out.\n')
  try {
    for (const [name, part] of Object.entries(parts)) {
      if (names.length === 0 || names.includes(name)) await part({ folder, postgres, redis })
    }
  } finally {
    await redis?.end()
    await postgres.end()
    await rm(folder, { recursive: true })
  }
}

/** What storing costs: against the same ingest in front of nothing, bare rows, and what one would write without the bridge. */
async function intake({ folder, postgres, redis }: Bench, events: number, title: string): Promise<void> {
  const results = await inTurns<Figures>({
    SQLite: async (round) => underLoad(events, ['storing', path.join(folder, `${events}-${round}.db`)]),
    Postgres: async () => underLoad(events, ['storing', await postgres.freshSchema()]),
    ...(redis && { 'Express + BullMQ + Redis': () => underLoad(events, ['express-bullmq', String(redis.port)]) }),
    'same ingest, nothing stored': () => underLoad(events, ['forgetting']),
    ...(events > 1 && {
      'bare SQLite, 100 rows a commit': (round: number) =>
        run<Figures>('inserting', path.join(folder, `rows-${round}.db`), String(SECONDS))
    })
  })
  print(
    `${title} over ${CONNECTIONS} keep-alive connections`,
    mapValues(results, ({ perSecond, p99 }, name) => [
      `${whole(perSecond)} events/s`,
      p99 === undefined ? '' : `p99 ${p99.toFixed(1)} ms`,
      ...['SQLite', 'Postgres'].map((ours) =>
        name === ours ? '' : `${ours} ${(results[ours].perSecond / perSecond).toFixed(2)} ×`
      )
    ])
  )
}

/** What it costs to have many keys: at work, and at rest. */
async function keys({ folder, postgres }: Bench): Promise<void> {
  const idle = async (target: string) => {
    await (await openQueue(target, { secret: SECRET })).close()
    await runSql(target, IDLE)
    return target
  }
  const sqlite = (round: number, name: string) => path.join(folder, `keys-${name}-${round}.db`)
  const one = [KEY]
  const results = await inTurns({
    'SQLite, one key': (round) => underLoad(1, ['storing', sqlite(round, 'one')], one),
    'SQLite, 64 keys': (round) => underLoad(1, ['storing', sqlite(round, '64')], KEYS.slice(0, 64)),
    'SQLite, one key beside idle ones': async (round) =>
      underLoad(1, ['storing', await idle(sqlite(round, 'idle'))], one),
    'Postgres, one key': async () => underLoad(1, ['storing', await postgres.freshSchema()], one),
    'Postgres, 64 keys': async () => underLoad(1, ['storing', await postgres.freshSchema()], KEYS.slice(0, 64)),
    'Postgres, one key beside idle ones': async () =>
      underLoad(1, ['storing', await idle(await postgres.freshSchema())], one)
  })
  print(
    `single events, by keys; idle ones are ${whole(IDLE_KEYS)}`,
    mapValues(results, ({ perSecond }, name) => [
      `${whole(perSecond)} events/s`,
      percent(perSecond, results[`${name.split(',')[0]}, one key`].perSecond)
    ])
  )
}

const IDLE = `INSERT INTO partitions (fingerprint, encrypted_key, created_at, pool, succeeded_at)
  WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${IDLE_KEYS})
  SELECT 'idle ' || n, '', 0, 'normal', 0 FROM numbers; ANALYZE`

/** How fast many keys are delivered into an EmailSendX that answers at once, in calls a second. */
async function delivery({ folder, postgres }: Bench): Promise<void> {
  const api = start('agreeing')
  const { port } = await message<{ port: number }>(api)
  const apiUrl = `http://127.0.0.1:${port}`
  const results = await inTurns({
    SQLite: (round) => delivering(path.join(folder, `delivery-${round}.db`), apiUrl, 1),
    Postgres: async () => delivering(await postgres.freshSchema(), apiUrl, 1),
    'Postgres, two processes': async () => delivering(await postgres.freshSchema(), apiUrl, 2)
  })
  await stop(api)
  print(
    `delivery of ${BUSY_KEYS} keys, into an EmailSendX that answers at once`,
    mapValues(results, ({ perSecond }, name) => [
      `${whole(perSecond)} calls/s`,
      name === 'SQLite' ? '' : `${percent(perSecond, results.SQLite.perSecond)} of SQLite`,
      name === 'Postgres, two processes' ? `${percent(perSecond, results.Postgres.perSecond)} of one process` : ''
    ])
  )
}

async function delivering(target: string, apiUrl: string, processes: number): Promise<{ perSecond: number }> {
  const queue = await openQueue(target, { secret: SECRET })
  await prove(queue, ...KEYS)
  const workers = Array.from({ length: processes }, () => start('delivering', target, apiUrl))
  await Promise.all(workers.map(message))
  const fill = (round: number) =>
    Promise.all(KEYS.map((apiKey) => queue.enqueue({ apiKey }, { events: usersEvents(round), rejected: [] })))
  const drained = async () => {
    while ((await queue.stats()).events > 0) await pause()
  }
  // The first round is for the processes to get warm.
  await fill(0)
  await drained()
  await queue.partitions.pause({})
  await fill(1)
  const begun = performance.now()
  await queue.partitions.resume({})
  await drained()
  const seconds = (performance.now() - begun) / 1000
  await Promise.all(workers.map(stop))
  await queue.close()
  return { perSecond: CALLS / seconds }
}

function usersEvents(round: number): BridgeEvent[] {
  return Array.from({ length: USERS }, (_, user) => `user${round}_${user}`).flatMap((userId) => [
    identify({ userId, email: `${userId}@acme.com` }),
    track({ userId })
  ])
}

/** What a backlog costs in memory while it is delivered: the same, however long it is. */
async function backlog({ folder }: Bench): Promise<void> {
  const api = start('agreeing')
  const { port } = await message<{ port: number }>(api)
  const drain = async (events: number) => {
    const file = path.join(folder, `backlog-${events}.db`)
    await run('filling', file, String(events))
    return run<{ megabytes: number; seconds: number }>('draining', file, `http://127.0.0.1:${port}`)
  }
  const small = await drain(BACKLOG / 10)
  const large = await drain(BACKLOG)
  await stop(api)
  const words = ({ megabytes, seconds }: typeof small) => [`${whole(megabytes)} MB at most`, `${whole(seconds)} s`]
  print('draining a backlog of identifies, into an EmailSendX without limits', {
    [`${whole(BACKLOG / 10)} events`]: words(small),
    [`${whole(BACKLOG)} events`]: [...words(large), percent(large.megabytes, small.megabytes)]
  })
}

/** How many of EmailSendX's 120 requests a minute it takes. */
async function calls(): Promise<void> {
  const sandbox = await startSandbox({ port: 0, rateLimit: 1_000_000 })
  const bridge = await startBridge({ port: 0, store: ':memory:', apiUrl: sandbox.url, logLevel: 'silent' })
  const callsFor = async (events: object[]) => {
    const before = await requestsTo(sandbox.url)
    const response = await fetch(`${bridge.url}/api/segment/track`, {
      method: 'POST',
      headers: { authorization: `Bearer ${SANDBOX_KEY}` },
      body: JSON.stringify(events.map((event, n) => ({ messageId: randomUUID(), userId: `user_${n}`, ...event })))
    })
    if (!response.ok) throw new Error(`the bridge answered ${response.status}`)
    while (!/^bridge_store_events 0$/m.test(await (await fetch(`${bridge.url}/metrics`)).text())) await pause()
    return [whole((await requestsTo(sandbox.url)) - before)]
  }
  const identifies = Array.from({ length: 1000 }, (_, n) => ({
    type: 'identify',
    traits: { email: `user${n}@acme.com` }
  }))
  const tracks = identifies.map(() => ({ type: 'track', event: 'Purchase Completed' }))
  print('requests to EmailSendX', {
    'for 1,000 identifies': await callsFor(identifies),
    'for 1,000 tracks, one a contact': await callsFor(tracks),
    'for 1,000 more of the same': await callsFor(tracks)
  })
  await bridge.close()
  await sandbox.close()
}

async function requestsTo(sandbox: string): Promise<number> {
  const state = (await (await fetch(`${sandbox}/_sandbox/state`)).json()) as { totals: { requests: number } }
  return state.totals.requests
}

async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20))
}

async function run<Result>(...role: string[]): Promise<Result> {
  const child = start(...role)
  const result = await message<Result>(child)
  await stop(child)
  return result
}

async function underLoad(events: number, role: string[], keys = [KEY]): Promise<Load> {
  const server = start(...role, ...keys)
  const { port } = await message<{ port: number }>(server)
  const one = (n: number) => kilobyteEvent(n)
  const many = (n: number) => `[${Array.from({ length: events }, (_, i) => one(n * events + i)).join()}]`
  const body = events === 1 ? one : many
  const result = await load(port, { connections: CONNECTIONS, seconds: SECONDS, keys, body })
  await stop(server)
  return { ...result, perSecond: result.perSecond * events }
}

/** Runs all by turns, so that none has the better minutes of the machine, and takes the median of each figure. */
async function inTurns<Run extends Figures>(
  contestants: Record<string, (round: number) => Promise<Run>>
): Promise<Record<string, Run>> {
  const runs = mapValues(contestants, () => [] as Run[])
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, contestant] of Object.entries(contestants)) runs[name].push(await contestant(round))
  }
  return mapValues(runs, median)
}

type Figures = { perSecond: number; p99?: number }

function median<Run extends Figures>(runs: Run[]): Run {
  return [...runs].sort((one, other) => one.perSecond - other.perSecond)[Math.floor(runs.length / 2)]
}

function mapValues<Value, Result>(
  record: Record<string, Value>,
  map: (value: Value, name: string) => Result
): Record<string, Result> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]))
}

function start(...role: string[]): ChildProcess {
  return fork(path.join(__dirname, 'bridge/processes.ts'), role, { execArgv: ['--require', 'tsx/cjs'] })
}

async function message<Message>(child: ChildProcess): Promise<Message> {
  const [first] = (await once(child, 'message')) as [Message]
  return first
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.disconnect()
  await exited
}

function print(title: string, figures: Record<string, string[]>): void {
  console.log(title)
  for (const [name, cells] of Object.entries(figures)) {
    console.log(`  ${name.padEnd(36)}${cells.map((cell) => cell.padEnd(18)).join('')}`.trimEnd())
  }
  console.log()
}

const whole = (value: number) => Math.round(value).toLocaleString('en-US')
const percent = (part: number, of: number) => `${Math.round((part / of) * 100)} %`

void main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message)
  process.exitCode = 1
})
