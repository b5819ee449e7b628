import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Command } from 'commander'
import type { GeneratedFile } from '../actions-cli/generated-file'
import { staleFiles } from '../actions-cli/generated-file'
import { definitionFolders, loadDefinition, shown } from '../actions-cli/load'
import type { LoadedDefinition } from '../actions-cli/load'
import { metadataFile } from '../actions-cli/metadata'
import { typesFiles } from '../actions-cli/types'
import { problemsOf } from '../actions-cli/validate'
import { catalogPageFiles } from '../upstream/catalog-page'
import { upstreamCommand } from './upstream'

/** What is there in a checkout only. */
export const definitionCommands = (): Command[] => [
  validateCommand(),
  generateTypesCommand(),
  generateMetadataPayloadCommand(),
  generateCatalogPageCommand(),
  upstreamCommand()
]

/** `validate`: one line per problem, exit code 1 when there is any. */
export const validateCommand = () =>
  new Command('validate')
    .description("Check definitions as Segment's CLI does, and fail where it only warns")
    .argument('[folders...]', FOLDERS)
    .action(async (folders: string[]) => {
      for (const { folder, definition } of await loadDefinitions(folders)) {
        const problems = problemsOf(definition)
        for (const problem of problems) console.error(`${shown(folder)}: ${problem}`)
        if (problems.length === 0) console.log(`${shown(folder)}: valid`)
        else process.exitCode = 1
      }
    })

/** `generate:types`: generated-types.ts of the settings and of every action. */
export const generateTypesCommand = () =>
  generateCommand(
    'generate:types',
    "Write the TypeScript types of settings and payloads as Segment's CLI does",
    typesFiles
  )

/** `generate:metadata-payload`: metadata.json of every destination. */
export const generateMetadataPayloadCommand = () =>
  generateCommand(
    'generate:metadata-payload',
    "Write metadata.json for Segment's catalog as Segment's CLI does",
    async (loaded) => [metadataFile(loaded)]
  )

/** `generate:catalog-page`: settings, presets and actions in the page for Segment's docs (docs/upstream). */
const generateCatalogPageCommand = () =>
  generateCommand(
    'generate:catalog-page',
    "Write the settings, presets and actions into the page for Segment's docs",
    catalogPageFiles
  )

/** A command that brings the files made from each definition up to date, or with --check fails when one is not. */
function generateCommand(
  name: string,
  description: string,
  filesOf: (loaded: LoadedDefinition) => Promise<GeneratedFile[]>
): Command {
  return new Command(name)
    .description(description)
    .argument('[folders...]', FOLDERS)
    .option('--check', 'write nothing; fail when a committed file is stale', false)
    .action(async (folders: string[], { check }: { check: boolean }) => {
      const files = (await Promise.all((await loadDefinitions(folders)).map(filesOf))).flat()
      const stale = await staleFiles(files)
      for (const file of stale) {
        if (check) {
          console.error(`${shown(file.path)} is stale: run bin/run ${[name, ...folders].join(' ')}`)
        } else {
          await writeFile(file.path, file.content)
          console.log(`${shown(file.path)} written`)
        }
      }
      if (stale.length === 0) console.log(`${name}: everything is up to date`)
      if (check && stale.length > 0) process.exitCode = 1
    })
}

const FOLDERS = 'folders of destinations (default: all in definitions/)'

/** The destinations in the given folders; given none, all that this repository has. */
async function loadDefinitions(folders: string[]): Promise<LoadedDefinition[]> {
  const ours = path.resolve(__dirname, '../../definitions')
  return Promise.all((folders.length > 0 ? folders : await definitionFolders(ours)).map(loadDefinition))
}
