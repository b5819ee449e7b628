import type { ChildProcess } from 'child_process'
import { fork } from 'child_process'
import { once } from 'events'
import { mkdtemp, rm } from 'fs/promises'
import { tmpdir } from 'os'
import path from 'path'
import { kilobyteEvent, load } from './bridge/load'
import type { Load } from './bridge/load'

/*
 * What the bridge costs, as ratios within one run: machines differ, ratios hardly do. Prints, asserts nothing.
 */

const SECONDS = 3
const ROUNDS = 3
const CONNECTIONS = 64

async function main(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-bridge-'))
  try {
    await singles(folder)
    await arrays(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** What storing costs, against the same doors in front of nothing. */
async function singles(folder: string): Promise<void> {
  const [storing, forgetting] = await inTurns(
    (round) => underLoad(1, ['storing', path.join(folder, `singles-${round}.db`)]),
    () => underLoad(1, ['forgetting'])
  )
  print(`single events of 1 KB over ${CONNECTIONS} keep-alive connections`, {
    'on disk, then answered': `${whole(storing.requestsPerSecond)} requests/s, p99 ${storing.p99.toFixed(1)} ms`,
    'same doors, nothing stored': `${whole(forgetting.requestsPerSecond)} requests/s, p99 ${forgetting.p99.toFixed(
      1
    )} ms`,
    ratio: percent(storing.requestsPerSecond, forgetting.requestsPerSecond)
  })
}

/** What HTTP, JSON, de-duplication and lanes cost, against bare rows. */
async function arrays(folder: string): Promise<void> {
  const [storing, inserting] = await inTurns(
    (round) => underLoad(100, ['storing', path.join(folder, `arrays-${round}.db`)]),
    async (round) => {
      const child = start('inserting', path.join(folder, `inserts-${round}.db`), String(SECONDS))
      const { rowsPerSecond } = await message<{ rowsPerSecond: number }>(child)
      await stop(child)
      return { rowsPerSecond }
    }
  )
  const rowsPerSecond = storing.requestsPerSecond * 100
  print(`arrays of 100 events of 1 KB over ${CONNECTIONS} keep-alive connections`, {
    'on disk, then answered': `${whole(rowsPerSecond)} rows/s, p99 ${storing.p99.toFixed(1)} ms`,
    'bare SQLite, 100 rows a commit': `${whole(inserting.rowsPerSecond)} rows/s`,
    ratio: percent(rowsPerSecond, inserting.rowsPerSecond)
  })
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
