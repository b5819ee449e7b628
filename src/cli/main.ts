import { Command } from 'commander'
import { bridgeCommand } from './bridge'
import { devCommand } from './dev'
import { generateMetadataPayloadCommand } from './generate-metadata-payload'
import { generateTypesCommand } from './generate-types'
import { sandboxCommand } from './sandbox'
import { serveCommand } from './serve'
import { validateCommand } from './validate'

const program = new Command('bin/run')
  .description('EmailSendX for Segment: local tools, sandbox and bridge')
  .showHelpAfterError()
  .addCommand(devCommand())
  .addCommand(sandboxCommand())
  .addCommand(serveCommand())
  .addCommand(bridgeCommand())
  .addCommand(validateCommand())
  .addCommand(generateTypesCommand())
  .addCommand(generateMetadataPayloadCommand())

program.parseAsync().catch((error: unknown) => {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})
