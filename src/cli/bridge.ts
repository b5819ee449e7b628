import { Command, Option } from 'commander'
import { existsSync } from 'fs'
import { startBridge } from '../bridge'
import type { BridgeOptions } from '../bridge'
import { LOG_LEVELS } from '../bridge/options'
import { openQueue } from '../bridge/queue'
import { deadLettersCommand } from './dead-letters'
import type { WithDeadLetters } from './dead-letters'
import { duration, integer, size } from './units'

interface CliOptions {
  port: number
  host: string
  allowHost?: string[]
  store: string
  apiUrl: string
  sharedSecret?: string
  maxBytes?: number
  maxPartitionBytes?: number
  maxAge?: number
  dedupe?: number
  keepDeadLetters?: number
  wait?: number
  onUnknownOutcome?: BridgeOptions['onUnknownOutcome']
  control?: boolean
  logLevel?: BridgeOptions['logLevel']
}

/** `bin/run bridge`: takes webhooks and SDK calls in and delivers them to EmailSendX, until SIGTERM or Ctrl-C. */
export function bridgeCommand(): Command {
  const command = new Command('bridge')
    .description('take webhooks and SDK calls in, and deliver them to EmailSendX')
    .addOption(
      given('--port <number>', 'BRIDGE_PORT', 'port to listen on; 0 picks a free one', integer(0, 65_535)).default(8080)
    )
    .addOption(given('--host <address>', 'BRIDGE_HOST', 'address to listen on').default('127.0.0.1'))
    .addOption(given('--allow-host <names>', 'BRIDGE_ALLOW_HOST', 'host names a proxy passes on, with commas', names))
    .addOption(
      given('--store <target>', 'BRIDGE_STORE', 'SQLite file, or postgres://…').default('emailsendx-bridge.db')
    )
    .addOption(given('--api-url <url>', 'BRIDGE_API_URL', 'EmailSendX').default('https://emailsendx.com'))
    .addOption(given('--shared-secret <text>', 'BRIDGE_SHARED_SECRET', "secret that Segment's webhooks sign with"))
    .addOption(given('--max-bytes <size>', 'BRIDGE_MAX_BYTES', 'what the store holds at most (default: 10GB)', size))
    .addOption(
      given(
        '--max-partition-bytes <size>',
        'BRIDGE_MAX_PARTITION_BYTES',
        'what one API key has waiting at most (default: 2GB)',
        size
      )
    )
    .addOption(
      given(
        '--max-age <duration>',
        'BRIDGE_MAX_AGE',
        'how long an API key may be stuck before it is refused (default: 7d)',
        duration
      )
    )
    .addOption(
      given('--dedupe <duration>', 'BRIDGE_DEDUPE', 'how long duplicates are recognised (default: 30d)', duration)
    )
    .addOption(
      given(
        '--keep-dead-letters <duration>',
        'BRIDGE_KEEP_DEAD_LETTERS',
        'how long dead letters are kept (default: 90d)',
        duration
      )
    )
    .addOption(
      given(
        '--wait <duration>',
        'BRIDGE_WAIT',
        'how long an event waits for its email or contact (default: 1h)',
        duration
      )
    )
    .addOption(
      given(
        '--on-unknown-outcome <what>',
        'BRIDGE_ON_UNKNOWN_OUTCOME',
        'what to do with an event that a crash may have fired already'
      )
        .choices(['resend', 'dead-letter'])
        .default('resend')
    )
    .addOption(new Option('--control', 'serve /_bridge/* to this machine, for the tester page').env('BRIDGE_CONTROL'))
    .addOption(given('--log-level <level>', 'BRIDGE_LOG_LEVEL', 'what is logged').choices(LOG_LEVELS).default('info'))
    .addHelpText(
      'after',
      '\nBRIDGE_SECRET encrypts the API keys in the store. Postgres needs it, a SQLite file makes its own.'
    )
    .action(run)
  return command.addCommand(deadLettersCommand(withDeadLetters))
}

async function run({ allowHost, maxAge, dedupe, keepDeadLetters, wait, ...options }: CliOptions): Promise<void> {
  const bridge = await startBridge({
    ...options,
    allowHosts: allowHost,
    maxAgeMs: maxAge,
    dedupeMs: dedupe,
    deadLetterMs: keepDeadLetters,
    waitMs: wait,
    secret: process.env.BRIDGE_SECRET
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void bridge.close())
}

const withDeadLetters: WithDeadLetters = async (command, work) => {
  const { store } = command.optsWithGlobals<{ store: string }>()
  if (!store.includes('://') && !existsSync(store)) throw new Error(`there is no store ${store}; name it with --store`)
  const queue = await openQueue(store, { secret: process.env.BRIDGE_SECRET })
  try {
    return await work(queue.deadLetters)
  } finally {
    await queue.close()
  }
}

/** An option that the environment may give as well. */
function given(flags: string, variable: string, description: string, parse?: (text: string) => unknown): Option {
  const option = new Option(flags, description).env(variable)
  return parse ? option.argParser(parse) : option
}

function names(text: string): string[] {
  return text.split(',').map((name) => name.trim().toLowerCase())
}
