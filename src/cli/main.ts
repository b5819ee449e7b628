import { Command } from 'commander'
import { isCheckout, PROGRAM } from '../typescript'
import type * as bridge from './bridge'
import type * as check from './check'
import type * as dev from './dev'
import type * as fields from './fields'
import type * as replay from './replay'
import type * as sandbox from './sandbox'
import type * as serve from './serve'

// All of this runs on machines of one's own, where EmailSendX may be on localhost (see definitions/emailsendx/connection.ts).
process.env.EMAILSENDX_ALLOW_HTTP = '1'

const { version } = require(isCheckout ? '../../package.json' : '../../../package.json') as { version: string }

/** In the order of `--help`: what runs things comes first. */
const commands: Record<string, () => Command> = {
  dev: () => (require('./dev') as typeof dev).devCommand(),
  bridge: () => (require('./bridge') as typeof bridge).bridgeCommand(),
  sandbox: () => (require('./sandbox') as typeof sandbox).sandboxCommand(),
  serve: () => (require('./serve') as typeof serve).serveCommand(),
  replay: () => (require('./replay') as typeof replay).replayCommand(),
  check: () => (require('./check') as typeof check).checkCommand(),
  fields: () => (require('./fields') as typeof fields).fieldsCommand()
}

/** What checks definitions, and writes the files made from them, needs packages that only a checkout has. */
const definitionCommands = (): Command[] =>
  isCheckout ? (require('./definition-commands') as { definitionCommands(): Command[] }).definitionCommands() : []

/** What goes wrong takes one line that says what to do. */
function speakInOneLine(command: Command, path: string): Command {
  for (const below of command.commands) speakInOneLine(below, `${path} ${below.name()}`)
  return command.configureOutput({
    outputError: (text, write) => write(`${text.trim().replace(/\s*\n\s*/g, ' ')} (see ${path} --help)\n`)
  })
}

const args = process.argv.slice(2)
if (args.length === 0 || /^-(?!(h|-help|V|-version)$)/.test(args[0])) args.unshift('dev')
const [first] = args
const isAboutAll = /^(-h|--help|help)$/.test(first)

const root = new Command(PROGRAM)
  .description('EmailSendX for Segment: everything on this machine, the bridge, and tools for the destination')
  .version(version, '-V, --version', 'print the version')
  .addHelpText('after', '\nWithout a command it is dev. Each command has a --help of its own.')
// Of the others the name is enough.
for (const [name, load] of Object.entries(commands)) {
  root.addCommand(name === first || isAboutAll ? load() : new Command(name))
}
const isThere = Object.hasOwn(commands, first) || /^(-V|--version)$/.test(first)
if (!isThere) for (const command of definitionCommands()) root.addCommand(command)

speakInOneLine(root, PROGRAM)
  .parseAsync(args, { from: 'user' })
  .catch((error: unknown) => {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  })
