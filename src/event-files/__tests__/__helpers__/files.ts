import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { readInput } from '../..'
import type { Columns, Entry } from '../..'

/** A folder for the files of a test. */
export class Files {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'events-'))

  write(name: string, content: string | Buffer): string {
    const file = path.join(this.folder, name)
    writeFileSync(file, content)
    return file
  }

  remove(): void {
    rmSync(this.folder, { recursive: true })
  }
}

/** Everything that is read from files. */
export async function entriesOf(files: string[], columns: Columns = {}): Promise<Entry[]> {
  const all: Entry[] = []
  for await (const { entries } of readInput({ files, columns })) all.push(...entries)
  return all
}
