import { existsSync, mkdirSync, statSync } from 'node:fs'
import path from 'node:path'

const WORDS: Record<string, string> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'it can only be read there',
  ENOENT: 'nothing can be made there',
  ENOSPC: 'the disk is full'
}

/**
 * Makes a folder, and those above it that are missing.
 * @param option what named it, such as `--data`
 * @throws Error with one line that names the option
 */
export function makeFolder(folder: string, option: string): void {
  const missing: string[] = []
  for (let place = path.resolve(folder); !existsSync(place); place = path.dirname(place)) missing.unshift(place)
  const above = missing[0] ? path.dirname(missing[0]) : path.resolve(folder)
  if (!statSync(above).isDirectory()) throw new Error(`${option}: ${above} is a file; name a folder`)
  try {
    // One by one: where nothing can be made, such as below /proc, Node's recursive mkdirSync tries for ever.
    for (const place of missing) mkdirSync(place)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    throw new Error(`${option}: the folder ${folder} can't be made: ${WORDS[code] ?? code}; name another`, {
      cause: error
    })
  }
}
