import { readFile } from 'node:fs/promises'
import type { Options } from 'prettier'
import prettierrc from '../../.prettierrc.json'

/** A file that is made from the definition and committed beside it. */
export interface GeneratedFile {
  /** Absolute path. */
  path: string
  content: string
}

/** Segment's monorepo formats what its CLI writes with prettier 2 and these options, which are this repository's too. */
export const segmentStyle = prettierrc as Options

/** Those of `files` that are missing on disk or differ there. */
export async function staleFiles(files: GeneratedFile[]): Promise<GeneratedFile[]> {
  const onDisk = await Promise.all(files.map(({ path }) => readFile(path, 'utf8').catch(() => undefined)))
  return files.filter(({ content }, index) => content !== onDisk[index])
}
