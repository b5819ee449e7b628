import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import type { AudienceDestinationDefinition, DestinationDefinition } from '@segment/actions-core'
import { canReadTypeScript, isTypeScript } from '../typescript'

/** A cloud destination as its index.ts exports it; the audience parts are there when it syncs audiences. */
export type Definition = DestinationDefinition &
  Partial<Pick<AudienceDestinationDefinition, 'audienceConfig' | 'audienceFields'>>

export interface LoadedDefinition {
  /** Absolute path of the destination's folder. */
  folder: string
  definition: Definition
}

/** The folders below `root` that hold a destination, that is an index.ts (in the package, an index.js). */
export async function definitionFolders(root: string): Promise<string[]> {
  const names = await readdir(root)
  const folders = names.sort().map((name) => path.resolve(root, name))
  return folders.filter((folder) => entryOf(folder) !== undefined)
}

/**
 * Loads `<folder>/index.ts`: its `destination` export, else its default export, as Segment's CLI does.
 * Throws one line that names the folder when there is no such file, when it fails to run, or when it exports no destination.
 */
export async function loadDefinition(folder: string): Promise<LoadedDefinition> {
  const entry = entryOf(folder)
  if (entry === undefined) throw new Error(`${shown(folder)}: no index.ts here; give the folder of a destination`)
  if (isTypeScript(entry) && !canReadTypeScript(path.dirname(entry))) {
    throw new Error(`${shown(entry)}: to read TypeScript, tsx is needed: npm install tsx`)
  }
  const definition = exportedDefinition(run(entry))
  if (!definition) throw new Error(`${shown(entry)}: exports no destination (an object with a name and actions)`)
  return { folder: path.dirname(entry), definition }
}

/** How a path is shown to people: relative to where the command was given. */
export const shown = (file: string) => path.relative(process.cwd(), file) || '.'

const entryOf = (folder: string): string | undefined =>
  ['index.ts', 'index.js'].map((name) => path.resolve(folder, name)).find((file) => existsSync(file))

function run(entry: string): unknown {
  // Segment's CLI does this, too. It gives the definition a copy of actions-core of its own, so that `instanceof` with a class
  // of actions-core is false for what the server's copy throws: a definition that counts on it has to fail here, not there.
  for (const file of Object.keys(require.cache)) delete require.cache[file]
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- import() would pass by what reads TypeScript
    return require(entry)
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
    throw new Error(`${shown(entry)}: cannot be loaded: ${reason}`, { cause: error })
  }
}

function exportedDefinition(module: unknown): Definition | undefined {
  if (typeof module !== 'object' || module === null) return undefined
  const exported = 'destination' in module ? module.destination : 'default' in module ? module.default : undefined
  return isDefinition(exported) ? exported : undefined
}

const isDefinition = (value: unknown): value is Definition =>
  typeof value === 'object' &&
  value !== null &&
  'name' in value &&
  typeof value.name === 'string' &&
  'actions' in value &&
  typeof value.actions === 'object' &&
  value.actions !== null
