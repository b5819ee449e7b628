import { metadataFile } from '../actions-cli/metadata'
import { generateCommand } from './generate'

/** `generate:metadata-payload`: metadata.json of every destination. */
export const generateMetadataPayloadCommand = () =>
  generateCommand(
    'generate:metadata-payload',
    "Write metadata.json for Segment's catalog as Segment's CLI does",
    async (loaded) => [metadataFile(loaded)]
  )
