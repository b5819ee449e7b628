import { readFile } from 'node:fs/promises'
import { format } from 'prettier'
import segmentStyle from '../../.prettierrc.json'

/** A file that is made from the definition and committed beside it. */
export interface GeneratedFile {
  /** Absolute path. */
  path: string
  content: string
}

/** Formats as Segment's monorepo does: prettier 2 with its options, which are also this repository's. */
export const formatted = (source: string, parser: 'typescript' | 'json') =>
  format(source, { ...(segmentStyle as object), parser })

/** Those of `files` that are missing on disk or differ there. */
export async function staleFiles(files: GeneratedFile[]): Promise<GeneratedFile[]> {
  const onDisk = await Promise.all(files.map(({ path }) => readFile(path, 'utf8').catch(() => undefined)))
  return files.filter(({ content }, index) => content !== onDisk[index])
}
