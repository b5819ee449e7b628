import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { startBridge } from '../../src/bridge'
import { openQueue } from '../../src/bridge/queue'
import type { Queue } from '../../src/bridge/queue'
import { PostgresServer } from '../../src/bridge/queue/__tests__/__helpers__/postgres'
import { SECRET } from '../../src/bridge/queue/__tests__/__helpers__/stores'
import { Account } from '../../src/replay/__tests__/__helpers__/account'
import { Command } from '../../src/replay/__tests__/__helpers__/command'

/*
 * Kills replays with SIGKILL, starts them again, and counts in EmailSendX which lines did not arrive and which arrived twice: one
 * in a store of its own, and one through the Postgres of a bridge that goes on meanwhile.
 */

const PEOPLE = 600
const EVENTS = PEOPLE * 3
/** Calls a minute: the events alone take long enough for all the kills. */
const BUDGET = 6_000
const START = Date.UTC(2026, 0, 1)
/** A process that has just begun reads, plans, or asks for the key. */
const MAX_EARLY_MS = 2_000
const MAX_LATE_MS = 400

interface Findings {
  kills: number
  /** Lines of which nothing arrived, and that are no dead letter either. */
  lost: number
  twice: number
  /** Events that were being fired at the moment of a kill, most of which have arrived. */
  deadLetters: number
}

export async function soakReplays(kills: number): Promise<boolean> {
  const own = await playOut(kills)
  const postgres = await PostgresServer.start()
  try {
    const through = await playOut(kills, await postgres.freshSchema())
    print('a store of its own, SQLite', own)
    print("a bridge's store, Postgres", through)
    return [own, through].every(({ lost, twice }) => lost + twice === 0)
  } finally {
    await postgres.end()
  }
}

/** @param store of a bridge that delivers; without it the replay does that itself */
async function playOut(kills: number, store?: string): Promise<Findings> {
  const folder = mkdtempSync(path.join(tmpdir(), 'replay-soak-'))
  const account = await Account.open()
  const { url: apiUrl } = account.sandbox
  const bridge = store && (await startBridge({ port: 0, store, secret: SECRET, apiUrl, logLevel: 'silent' }))
  const file = account.files.write('history', history())
  const where = store === undefined ? ['--api-url', apiUrl] : ['--store', store]
  const args = [file, '--fire-events-since', '2026-01-01', '--budget', String(BUDGET), '--dir', folder, ...where]
  const start = () => new Command(args, { EMAILSENDX_API_KEY: account.key, BRIDGE_SECRET: SECRET })
  try {
    let killed = 0
    for (; killed < kills; killed++) {
      const command = start()
      if (killed % 2 === 0) await setTimeout(Math.random() * MAX_EARLY_MS)
      else await untilItFires(account, command)
      if (!(await command.kill('SIGKILL'))) break
    }
    const { code, err } = await start().ended
    if (code !== 0) throw new Error(`the replay ended with ${code}: ${err}`)
    const dead = await settle(
      await (store ? openQueue(store, { secret: SECRET }) : openQueue(path.join(folder, 'queue.db')))
    )
    return { kills: killed, ...compare(account, dead) }
  } finally {
    if (bridge) await bridge.close()
    await account.close()
    rmSync(folder, { recursive: true })
  }
}

async function untilItFires(account: Account, command: Command): Promise<void> {
  let hasEnded = false
  void command.ended.then(() => (hasEnded = true))
  const before = account.events().length
  while (!hasEnded && account.events().length === before) await setTimeout(20)
  await setTimeout(Math.random() * MAX_LATE_MS)
}

/** Waits until nothing is left in the queue. @returns which events are dead letters */
async function settle(queue: Queue): Promise<number[]> {
  while ((await queue.stats()).events > 0) await setTimeout(50)
  const letters = await queue.deadLetters.list({ type: 'track' }, { limit: EVENTS })
  const contents = await Promise.all(letters.map(({ id }) => queue.deadLetters.show(id)))
  await queue.close()
  return contents.map((letter) => (letter?.content as { event: { properties: { n: number } } }).event.properties.n)
}

function compare(account: Account, dead: number[]): Omit<Findings, 'kills'> {
  const fired = account.events().map(({ data }) => data.n)
  const distinct = new Set(fired).size
  const complete = account.contacts().filter(({ metadata }) => metadata.first === 1 && metadata.second === 2).length
  return {
    lost: PEOPLE - complete + EVENTS - new Set([...fired, ...dead]).size,
    twice: fired.length - distinct,
    deadLetters: dead.length
  }
}

/** Two identifies and three events of each person, all people between each other. */
function history(): string {
  const lines = Array.from({ length: PEOPLE * 5 }, (_, n) => {
    const userId = `u${n % PEOPLE}`
    const common = { userId, timestamp: new Date(START + n * 1000).toISOString() }
    const traits = n < PEOPLE ? { first: 1 } : { second: 2 }
    return n < PEOPLE * 2
      ? { type: 'identify', ...common, traits: { email: `${userId}@acme.com`, ...traits } }
      : { type: 'track', ...common, event: 'Step Done', properties: { n } }
  })
  return lines.map((line) => JSON.stringify(line)).join('\n')
}

function print(where: string, { kills, lost, twice, deadLetters }: Findings): void {
  console.log(
    `${where}: ${PEOPLE} contacts and ${EVENTS} events, ${kills} kills, ${lost} lost, ${twice} twice, ${deadLetters} dead letters`
  )
}
