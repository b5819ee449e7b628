import { typesFiles } from '../actions-cli/types'
import { generateCommand } from './generate'

/** `generate:types`: generated-types.ts of the settings and of every action. */
export const generateTypesCommand = () =>
  generateCommand(
    'generate:types',
    "Write the TypeScript types of settings and payloads as Segment's CLI does",
    typesFiles
  )
