import { catalogPageFiles } from '../upstream/catalog-page'
import { generateCommand } from './generate'

/** `generate:catalog-page`: settings, presets and actions in the page for Segment's docs (docs/upstream). */
export const generateCatalogPageCommand = () =>
  generateCommand(
    'generate:catalog-page',
    "Write the settings, presets and actions into the page for Segment's docs",
    catalogPageFiles
  )
