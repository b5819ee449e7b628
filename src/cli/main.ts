import { Command } from 'commander'
import { bridgeCommand } from './bridge'
import { checkCommand } from './check'
import { devCommand } from './dev'
import { fieldsCommand } from './fields'
import { generateCatalogPageCommand } from './generate-catalog-page'
import { generateMetadataPayloadCommand } from './generate-metadata-payload'
import { generateTypesCommand } from './generate-types'
import { replayCommand } from './replay'
import { sandboxCommand } from './sandbox'
import { serveCommand } from './serve'
import { upstreamCommand } from './upstream'
import { validateCommand } from './validate'

const program = new Command('bin/run')
  .description('EmailSendX for Segment: local tools, sandbox, bridge and replay')
  .showHelpAfterError()
  .addCommand(devCommand())
  .addCommand(sandboxCommand())
  .addCommand(serveCommand())
  .addCommand(bridgeCommand())
  .addCommand(checkCommand())
  .addCommand(fieldsCommand())
  .addCommand(replayCommand())
  .addCommand(validateCommand())
  .addCommand(generateTypesCommand())
  .addCommand(generateMetadataPayloadCommand())
  .addCommand(generateCatalogPageCommand())
  .addCommand(upstreamCommand())

program.parseAsync().catch((error: unknown) => {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})
