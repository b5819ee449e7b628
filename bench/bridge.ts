import type { ChildProcess } from 'child_process'
import { fork } from 'child_process'
import { randomUUID } from 'crypto'
import { once } from 'events'
import { mkdtemp, rm } from 'fs/promises'
import { tmpdir } from 'os'
import path from 'path'
import { startBridge } from '../src/bridge'
import { SANDBOX_KEY, startSandbox } from '../src/sandbox'
import { kilobyteEvent, load } from './bridge/load'
import type { Load } from './bridge/load'

/*
 * What the bridge costs, as ratios within one run: machines differ, ratios hardly do. Prints, asserts nothing.
 */

const SECONDS = 3
const ROUNDS = 3
const CONNECTIONS = 64
const BACKLOG = 1_000_000

async function main(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-bridge-'))
  try {
    await singles(folder)
    await arrays(folder)
    await backlogs(folder)
    await apiCalls()
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** What storing costs, against the same ingest in front of nothing. */
async function singles(folder: string): Promise<void> {
  const [storing, forgetting] = await inTurns(
    (round) => underLoad(1, ['storing', path.join(folder, `singles-${round}.db`)]),
    () => underLoad(1, ['forgetting'])
  )
  print(`single events of 1 KB over ${CONNECTIONS} keep-alive connections`, {
    'on disk, then answered': `${whole(storing.requestsPerSecond)} requests/s, p99 ${storing.p99.toFixed(1)} ms`,
    'same ingest, nothing stored': `${whole(forgetting.requestsPerSecond)} requests/s, p99 ${forgetting.p99.toFixed(
      1
    )} ms`,
    ratio: percent(storing.requestsPerSecond, forgetting.requestsPerSecond)
  })
}

/** What HTTP, JSON, de-duplication and partitions cost, against bare rows. */
async function arrays(folder: string): Promise<void> {
  const [storing, inserting] = await inTurns(
    (round) => underLoad(100, ['storing', path.join(folder, `arrays-${round}.db`)]),
    (round) => run<{ rowsPerSecond: number }>('inserting', path.join(folder, `inserts-${round}.db`), String(SECONDS))
  )
  const rowsPerSecond = storing.requestsPerSecond * 100
  print(`arrays of 100 events of 1 KB over ${CONNECTIONS} keep-alive connections`, {
    'on disk, then answered': `${whole(rowsPerSecond)} rows/s, p99 ${storing.p99.toFixed(1)} ms`,
    'bare SQLite, 100 rows a commit': `${whole(inserting.rowsPerSecond)} rows/s`,
    ratio: percent(rowsPerSecond, inserting.rowsPerSecond)
  })
}

/** What a backlog costs in memory while it is delivered: the same, however long it is. */
async function backlogs(folder: string): Promise<void> {
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
  const words = ({ megabytes, seconds }: typeof small) => `${whole(megabytes)} MB at most, ${whole(seconds)} s`
  print('draining a backlog of identifies, into an EmailSendX without limits', {
    [`${whole(BACKLOG / 10)} events`]: words(small),
    [`${whole(BACKLOG)} events`]: words(large),
    ratio: percent(large.megabytes, small.megabytes)
  })
}

/** How many of EmailSendX's 120 requests a minute it takes. */
async function apiCalls(): Promise<void> {
  const sandbox = await startSandbox({ port: 0, rateLimit: 1_000_000 })
  const bridge = await startBridge({ port: 0, store: ':memory:', apiUrl: sandbox.url, logLevel: 'silent' })
  const calls = async (events: object[]) => {
    const before = await requestsTo(sandbox.url)
    const response = await fetch(`${bridge.url}/api/segment/track`, {
      method: 'POST',
      headers: { authorization: `Bearer ${SANDBOX_KEY}` },
      body: JSON.stringify(events.map((event, n) => ({ messageId: randomUUID(), userId: `user_${n}`, ...event })))
    })
    if (!response.ok) throw new Error(`the bridge answered ${response.status}`)
    while (!/^bridge_store_events 0$/m.test(await (await fetch(`${bridge.url}/metrics`)).text())) await pause()
    return String((await requestsTo(sandbox.url)) - before)
  }
  const identifies = Array.from({ length: 1000 }, (_, n) => ({
    type: 'identify',
    traits: { email: `user${n}@acme.com` }
  }))
  const tracks = identifies.map(() => ({ type: 'track', event: 'Purchase Completed' }))
  print('requests to EmailSendX', {
    'for 1,000 identifies': await calls(identifies),
    'for 1,000 tracks, one a contact': await calls(tracks),
    'for 1,000 more of the same': await calls(tracks)
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

async function underLoad(events: number, role: string[]): Promise<Load> {
  const server = start(...role)
  const { port } = await message<{ port: number }>(server)
  const one = (n: number) => kilobyteEvent(n)
  const many = (n: number) => `[${Array.from({ length: events }, (_, i) => one(n * events + i)).join()}]`
  const result = await load(port, { connections: CONNECTIONS, seconds: SECONDS, body: events === 1 ? one : many })
  await stop(server)
  return result
}

/** Runs both by turns, so that neither has the better minutes of the machine, and takes the median of each figure. */
async function inTurns<First extends Figures, Second extends Figures>(
  first: (round: number) => Promise<First>,
  second: (round: number) => Promise<Second>
): Promise<[First, Second]> {
  const firsts: First[] = []
  const seconds: Second[] = []
  for (let round = 0; round < ROUNDS; round++) {
    firsts.push(await first(round))
    seconds.push(await second(round))
  }
  return [median(firsts), median(seconds)]
}

type Figures = Record<string, number>

function median<Run extends Figures>(runs: Run[]): Run {
  const middle = (name: string) => runs.map((run) => run[name]).sort((a, b) => a - b)[Math.floor(runs.length / 2)]
  return Object.fromEntries(Object.keys(runs[0]).map((name) => [name, middle(name)])) as Run
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

function print(title: string, figures: Record<string, string>): void {
  console.log(title)
  for (const [name, figure] of Object.entries(figures)) console.log(`  ${name.padEnd(34)}${figure}`)
  console.log()
}

const whole = (value: number) => Math.round(value).toLocaleString('en-US')
const percent = (part: number, of: number) => `${Math.round((part / of) * 100)} %`

void main()
