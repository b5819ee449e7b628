import type { Command } from 'commander'
import { generateCatalogPageCommand } from './generate-catalog-page'
import { generateMetadataPayloadCommand } from './generate-metadata-payload'
import { generateTypesCommand } from './generate-types'
import { upstreamCommand } from './upstream'
import { validateCommand } from './validate'

/** What is there in a checkout only. */
export const definitionCommands = (): Command[] => [
  validateCommand(),
  generateTypesCommand(),
  generateMetadataPayloadCommand(),
  generateCatalogPageCommand(),
  upstreamCommand()
]
