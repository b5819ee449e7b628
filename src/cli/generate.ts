import { writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import type { GeneratedFile } from '../actions-cli/generated-file'
import { staleFiles } from '../actions-cli/generated-file'
import type { LoadedDefinition } from '../actions-cli/load'
import { shown } from '../actions-cli/load'
import { loadDefinitions } from './definitions'

/** A command that brings the files made from each definition up to date, or with --check fails when one is not. */
export function generateCommand(
  name: string,
  description: string,
  filesOf: (loaded: LoadedDefinition) => Promise<GeneratedFile[]>
): Command {
  return new Command(name)
    .description(description)
    .argument('[folders...]', 'folders of destinations (default: all in definitions/)')
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
