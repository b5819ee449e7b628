import { once } from 'node:events'
import path from 'node:path'
import { watch } from 'chokidar'
import debounce from 'lodash/debounce'

/** Editors write a file in several steps, and a checkout many files. */
const SETTLE_MS = 100

/** Calls `changed` with the last file changed, once things have settled. Tests, packages and hidden files do not count. */
export async function watchFolder(
  folder: string,
  changed: (file: string) => void
): Promise<{ close(): Promise<void> }> {
  const ignored = (file: string) => /(^|[\\/])(\.|__tests__|node_modules)/.test(path.relative(folder, file))
  const settled = debounce(changed, SETTLE_MS)
  const watcher = watch(folder, { ignored, ignoreInitial: true })
  watcher.on('all', (_event, file) => settled(file))
  // Resolves with `ready`, rejects with `error`, for instance when the system watches too many files already.
  await once(watcher, 'ready')
  return {
    async close() {
      settled.cancel()
      await watcher.close()
    }
  }
}
