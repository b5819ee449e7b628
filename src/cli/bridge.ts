import { existsSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import { z } from 'zod'
import { startBridge } from '../bridge'
import type { BridgeOptions } from '../bridge'
import { checkOptions, describedOptions } from '../bridge/options'
import type { CheckedOptions, DescribedOption } from '../bridge/options'
import { openQueue } from '../bridge/queue'
import { originOf } from '../http/listening'
import { deadLettersCommand } from './dead-letters'
import { forgetCommand } from './forget'
import { keysCommand } from './keys'
import type { AskCallsLeft } from './keys'
import { moveCommand } from './move'
import type { OpenQueue } from './open-queue'
import { reportCommand } from './report'
import { untilStopped } from './until-stopped'

/** `bin/run bridge`: takes webhooks and SDK calls in and delivers them to EmailSendX, until SIGTERM or Ctrl-C. */
export function bridgeCommand(): Command {
  const command = new Command('bridge')
    .description('take webhooks and SDK calls in, and deliver them to EmailSendX')
    .addHelpText('after', `\nSecrets are given in the environment:\n${secrets.map(secretLine).join('\n')}`)
    .action(run)
  for (const described of describedOptions) if (described.flag) command.addOption(optionOf(described, described.flag))
  return command
    .addCommand(keysCommand(openStore, askCallsLeft))
    .addCommand(deadLettersCommand(openStore))
    .addCommand(reportCommand(openStore))
    .addCommand(forgetCommand(openStore))
    .addCommand(moveCommand())
}

const secrets = describedOptions.filter(({ isSecret }) => isSecret)
/** A switch is on for commander whenever its variable is set, also to `false`. */
const switches = describedOptions.filter(({ isSecret, value }) => !isSecret && value === undefined)

/** The options given, on the command line or in the environment. */
function given(command: Command): BridgeOptions {
  const fromEnvironment = [...secrets, ...switches].map(({ name, variable }) => [name, process.env[variable]])
  return { ...Object.fromEntries(fromEnvironment), ...command.opts() } as BridgeOptions
}

async function run(_options: object, command: Command): Promise<void> {
  const bridge = await startBridge(given(command))
  untilStopped(() => bridge.close())
}

/** The options that stand before a subcommand. */
function optionsOf(command: Command): CheckedOptions {
  let bridge = command
  while (bridge.parent && bridge.name() !== 'bridge') bridge = bridge.parent
  return checkOptions(given(bridge))
}

const openStore: OpenQueue = async (command, work) => {
  const { store, secret } = optionsOf(command)
  if (!store.includes('://') && !existsSync(store)) throw new Error(`there is no store ${store}; name it with --store`)
  const queue = await openQueue(store, { secret })
  try {
    return await work(queue)
  } finally {
    await queue.close()
  }
}

const ASK_TIMEOUT_MS = 2_000
const answered = z.object({ keys: z.array(z.object({ partition: z.string(), callsLeft: z.number().optional() })) })

/** Asks the bridge on this machine, if it runs and the operator's token is at hand. Otherwise nothing is known. */
const askCallsLeft: AskCallsLeft = async (command) => {
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

function optionOf({ value, description, standard, variable, problem }: DescribedOption, flag: string): Option {
  const text = plain(standard === undefined ? description : `${description} (default: ${standard})`)
  if (value === undefined) return new Option(flag, `${text} (env: ${variable})`)
  return new Option(`${flag} <${value}>`, text).env(variable).argParser((given: string) => {
    const wrong = problem(given)
    if (wrong !== undefined) throw new InvalidArgumentError(`It ${wrong}.`)
    return given
  })
}

function secretLine({ variable, description }: DescribedOption): string {
  return `  ${variable}  ${plain(description)}`
}

/** Without the markup of the docs. */
function plain(text: string): string {
  return text.replace(/`/g, '').replace(/\[(.*?)\]\(.*?\)/g, '$1')
}
