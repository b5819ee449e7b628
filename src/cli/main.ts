import { Command } from 'commander'

const program = new Command('bin/run')
  .description('EmailSendX for Segment: local tools, sandbox and bridge')
  .showHelpAfterError()

program.parseAsync().catch((error: unknown) => {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})
