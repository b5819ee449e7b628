import { Command } from 'commander'
import { sandboxCommand } from './sandbox'

const program = new Command('bin/run')
  .description('EmailSendX for Segment: local tools, sandbox and bridge')
  .showHelpAfterError()
  .addCommand(sandboxCommand())

program.parseAsync().catch((error: unknown) => {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})
