import path from 'node:path'
import type { LoadedDefinition } from '../actions-cli/load'
import { definitionFolders, loadDefinition } from '../actions-cli/load'

/** The destinations in the given folders; given none, all that this repository has. */
export async function loadDefinitions(folders: string[]): Promise<LoadedDefinition[]> {
  const ours = path.resolve(__dirname, '../../definitions')
  return Promise.all((folders.length > 0 ? folders : await definitionFolders(ours)).map(loadDefinition))
}
