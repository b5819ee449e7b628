import { text } from 'node:stream/consumers'
import { Command } from 'commander'
import { z } from 'zod'
import type { PartitionFilter, PartitionStatus } from '../bridge/queue'
import { originOf } from '../http/listening'
import { PROGRAM } from '../typescript'
import { optionsOf } from './bridge-options'
import { onStore, withStore } from './bridge-store'
import { progressOf } from './progress'
import { ago, table } from './table'
import { integer } from './units'

type Key = PartitionStatus & { callsLeft?: number }

interface Choice {
  apiKey?: string
  all?: boolean
  json?: boolean
}

/** `bin/run bridge keys`: what waits for each API key, and what an operator may do about it. */
export function keysCommand(): Command {
  const command = new Command('keys').description(
    'list API keys with what waits for them; pause, resume, retry or drop'
  )
  const subcommand = (name: string, description: string) =>
    onStore(command.command(name).description(description)).option(
      '--api-key <->',
      'read an API key from stdin, with -'
    )

  subcommand('list [names...]', 'list them, the longest waiting first')
    .option('--suspended', 'only those that EmailSendX refuses')
    .option('--limit <number>', 'how many at most', integer(1, 100_000), 100)
    .action(async (names: string[], options: Choice & { suspended?: true; limit: number }, self: Command) => {
      const filters = names.length > 0 || options.apiKey ? await chosen(names, options) : [{}]
      const { suspended, limit } = options
      const found = await withStore(self, (queue) =>
        Promise.all(filters.map((filter) => queue.partitions.list({ ...filter, suspended, limit })))
      )
      const left = await askCallsLeft(self)
      const keys = found.flat().map((key) => ({ ...key, callsLeft: left.get(key.partition) }))
      console.log(options.json ? JSON.stringify({ keys }) : keysTable(keys))
    })

  change('pause', 'deliver nothing more for them until they are resumed, also after a restart', 'paused')
  change('resume', 'deliver again for keys that are paused or suspended', 'resumed')
  change('retry', 'try suspended keys again now', 'tried again')
  change('drop', 'delete the events that wait for them, for good', 'events deleted')
  return command

  function change(name: 'pause' | 'resume' | 'retry' | 'drop', description: string, done: string): void {
    subcommand(`${name} [names...]`, description)
      .option('--all', 'all keys')
      .action(async (names: string[], options: Choice, self: Command) => {
        const filters = options.all ? [{}] : await chosen(names, options)
        const changed = await withStore(self, async ({ partitions }) => {
          let sum = 0
          for (const filter of filters) {
            const keys = await partitions.list(filter)
            if (keys.length === 0 && !options.all)
              throw new Error(`there is no such key; see "${PROGRAM} bridge keys list"`)
            const events = keys.reduce((total, key) => total + key.events, 0)
            sum += await partitions[name](filter, progressOf(done, events))
          }
          return sum
        })
        console.log(options.json ? JSON.stringify({ changed }) : `${changed} ${done}`)
      })
  }
}

async function chosen(names: string[], { apiKey }: Choice): Promise<PartitionFilter[]> {
  if (apiKey !== undefined && apiKey !== '-') {
    throw new Error('everybody on this machine can see command lines: give the key on stdin, with --api-key -')
  }
  if (apiKey === '-') return [{ apiKey: (await text(process.stdin)).trim() }]
  if (names.length === 0) throw new Error('say which ones: short names as "keys list" shows them, --api-key - or --all')
  return names.map((partition) => ({ partition }))
}

const ASK_TIMEOUT_MS = 2_000
const answered = z.object({ keys: z.array(z.object({ partition: z.string(), callsLeft: z.number().optional() })) })

/**
 * How many calls keys have left this minute, by their short names. Only the bridge that runs knows: the one on this machine is
 * asked, if the operator's token is at hand.
 */
async function askCallsLeft(command: Command): Promise<Map<string, number>> {
  const { host, port, adminToken } = optionsOf(command)
  if (adminToken === undefined) return new Map()
  try {
    const headers = { authorization: `Bearer ${adminToken}` }
    const signal = AbortSignal.timeout(ASK_TIMEOUT_MS)
    const response = await fetch(`${originOf(host, port)}/_bridge/keys?limit=1000`, { headers, signal })
    const { keys } = answered.parse(await response.json())
    return new Map(
      keys.flatMap(({ partition, callsLeft }) => (callsLeft === undefined ? [] : [[partition, callsLeft]]))
    )
  } catch {
    return new Map()
  }
}

function keysTable(keys: Key[]): string {
  if (keys.length === 0) return 'no keys'
  return table(
    ['name', 'key', 'waiting', 'oldest', 'delivered', 'dead', 'calls left', 'state'],
    keys.map((key) => [
      key.partition,
      `${key.keyPrefix ?? '?'}…`,
      String(key.events),
      ago(key.oldestArrivedAt),
      String(key.delivered),
      String(key.deadLetters),
      String(key.callsLeft ?? '?'),
      stateOf(key)
    ])
  )
}

function stateOf({ paused, suspended, proven, deferred, deferredFor }: PartitionStatus): string {
  if (paused) return 'paused'
  if (suspended) return `suspended for ${ago(suspended.since)}: ${suspended.reason}`
  if (!proven) return 'not accepted yet'
  if (deferred === 0) return ''
  const reasons = Object.entries(deferredFor).map(([reason, count]) => `${count} for ${WAITS_FOR[reason]}`)
  return `waits: ${reasons.join(', ')}`
}

const WAITS_FOR: Record<string, string> = {
  email: 'an address',
  contact: 'their contact',
  turn: 'their turn',
  retry: 'another try'
}
