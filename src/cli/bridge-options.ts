import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import { checkOptions, describedOptions } from '../bridge/options'
import type { BridgeOptions, CheckedOptions, DescribedOption } from '../bridge/options'

const secrets = describedOptions.filter(({ isSecret }) => isSecret)
/** A switch is on for commander whenever its variable is set, also to `false`. */
const switches = describedOptions.filter(({ isSecret, value }) => !isSecret && value === undefined)

/** The options of the bridge, on the command line or, for secrets, in the environment only. */
export function describeOptions(command: Command): Command {
  for (const described of describedOptions) if (described.flag) command.addOption(optionOf(described, described.flag))
  const lines = secrets.map(({ variable, description }) => `  ${variable}  ${plain(description)}`)
  return command.addHelpText('after', `\nSecrets are given in the environment:\n${lines.join('\n')}`)
}

/** The options given, on the command line or in the environment. */
export function given(command: Command): BridgeOptions {
  const fromEnvironment = [...secrets, ...switches].map(({ name, variable }) => [name, process.env[variable]])
  return { ...Object.fromEntries(fromEnvironment), ...command.opts() } as BridgeOptions
}

/** The options that stand before a subcommand. */
export function optionsOf(command: Command): CheckedOptions {
  let bridge = command
  while (bridge.parent && bridge.name() !== 'bridge') bridge = bridge.parent
  return checkOptions(given(bridge))
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

/** Without the markup of the docs. */
function plain(text: string): string {
  return text.replace(/`/g, '').replace(/\[(.*?)\]\(.*?\)/g, '$1')
}
