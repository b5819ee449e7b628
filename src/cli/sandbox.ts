import { Command, Option } from 'commander'
import type * as sandboxes from '../sandbox'
import { switches } from '../sandbox/assumptions'
import { SANDBOX_KEY } from '../sandbox/resources/keys'
import { integer, portOption } from './units'
import { untilStopped } from './until-stopped'

/** `bin/run sandbox`: the stand-in EmailSendX alone, until Ctrl-C. */
export function sandboxCommand(): Command {
  const command = new Command('sandbox')
    .description('run a local stand-in for EmailSendX')
    .addOption(portOption('--port', 'SANDBOX_PORT', 4010, 'the sandbox'))
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--data <file>', 'SQLite file that keeps everything across restarts (default: in memory)')
    .option('--rate-limit <number>', 'calls per key and minute', integer(1, 1_000_000), 120)
    .action(async (options: sandboxes.SandboxOptions) => {
      const { startSandbox } = require('../sandbox') as typeof sandboxes
      const sandbox = await startSandbox(options)
      untilStopped(() => sandbox.close())
      console.log(`Sandbox EmailSendX  ${sandbox.url}  (${options.data ?? 'in memory'}, Ctrl-C ends it)
API key             ${SANDBOX_KEY}
What it holds       ${sandbox.url}/_sandbox/state
Try                 curl -H 'Authorization: Bearer ${SANDBOX_KEY}' ${sandbox.url}/api/v1/lists`)
    })
  for (const [name, readings] of Object.entries(switches)) {
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    const [[choice, reading], ...others] = Object.entries(readings)
    const choices = [choice, ...others.map(([other]) => other)]
    command.addOption(new Option(`--${flag} <choice>`, reading).choices(choices).default(choice))
  }
  return command
}
