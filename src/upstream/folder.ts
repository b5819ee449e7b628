import { readdir, readFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import path from 'node:path'

/** Text files by their path in the folder, with `/` between the parts. */
export type Folder = Map<string, string>

/** The files below `root`. */
export async function readFolder(root: string): Promise<Folder> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name))
  const named = files.map(
    async (file): Promise<[string, string]> => [
      path.relative(root, file).split(path.sep).join('/'),
      await readFile(file, 'utf8')
    ]
  )
  return new Map((await Promise.all(named)).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Packages that Segment's destination package has, and how they may be named in an import. */
const PACKAGES = /^(@segment\/actions-core|lodash\/\w+|lru-cache|dayjs)$/
/** What its tests have besides, and the file of that package that the scaffold's snapshot test takes its values from. */
const TEST_PACKAGES = /^(nock|\.\.\/\.\.\/\.\.\/lib\/test-data)$/
const IMPORTS = /\b(?:from|import|require)\s*\(?\s*(['"])(.+?)\1/g
/** A path of this repository in a comment; `/docs/api/…` is a page of EmailSendX. */
const OUR_PATHS = /(?<![\w./-])(?:docs|src|bench|upstream|definitions|__tests__\/tester)\/[\w./-]*\w/g

/** What would not work, or lead nowhere, once the folder stands alone in Segment's monorepo: one line each. */
export function strayReferences(folder: Folder): string[] {
  return [...folder].flatMap(([file, text]) => {
    if (!file.endsWith('.ts')) return []
    const imports = [...text.matchAll(IMPORTS)].map(([, , name]) => name)
    const paths = text.match(OUR_PATHS) ?? []
    return [
      ...imports.filter((name) => !isThere(folder, file, name)).map((name) => `${file} imports ${name}`),
      ...paths.map((name) => `${file} mentions ${name}`)
    ]
  })
}

function isThere(folder: Folder, file: string, name: string): boolean {
  const isTest = file.includes('__tests__/')
  if (PACKAGES.test(name) || (isTest && (TEST_PACKAGES.test(name) || isBuiltin(name)))) return true
  if (!/^\.\.?(\/|$)/.test(name)) return false
  const target = path.posix.join(path.posix.dirname(file), name)
  return [target, `${target}.ts`, path.posix.join(target, 'index.ts')].some((candidate) => folder.has(candidate))
}
