import { Command } from 'commander'
import type * as bridges from '../bridge'
import { describeOptions, given } from './bridge-options'
import { deadLettersCommand } from './dead-letters'
import { forgetCommand } from './forget'
import { keysCommand } from './keys'
import { moveCommand } from './move'
import { reportCommand } from './report'
import { untilStopped } from './until-stopped'

/** `bin/run bridge`: takes webhooks and SDK calls in and delivers them to EmailSendX, until SIGTERM or Ctrl-C. */
export function bridgeCommand(): Command {
  return describeOptions(new Command('bridge'))
    .description('take webhooks and SDK calls in, and deliver them to EmailSendX')
    .action(run)
    .addCommand(keysCommand())
    .addCommand(deadLettersCommand())
    .addCommand(reportCommand())
    .addCommand(forgetCommand())
    .addCommand(moveCommand())
}

async function run(_options: object, command: Command): Promise<void> {
  const { startBridge } = require('../bridge') as typeof bridges
  const bridge = await startBridge(given(command))
  untilStopped(() => bridge.close())
}
