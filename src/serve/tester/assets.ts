import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { isCheckout } from '../../typescript'

const WEB = path.join(__dirname, '../../tester-web')

/** A file of the page, ready to be sent. */
export interface Asset {
  type: string
  gzipped: Buffer
  etag: string
}

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml'
}

interface PageFile {
  name: string
  contents: Uint8Array
}

let loading: Promise<Map<string, Asset>> | undefined

/** The page's files by name; in a checkout they are made from `src/tester-web` on the first call. */
export async function assets(): Promise<Map<string, Asset>> {
  loading ??= load()
  return loading
}

async function load(): Promise<Map<string, Asset>> {
  const files = isCheckout ? await sources().bundlePage() : await built()
  return new Map(files.map(({ name, contents }) => [name, asset(name, contents)]))
}

// eslint-disable-next-line @typescript-eslint/no-require-imports -- esbuild is not there in the package
const sources = () => require(path.join(WEB, 'bundle')) as { bundlePage(): Promise<PageFile[]> }

async function built(): Promise<PageFile[]> {
  const names = (await readdir(WEB)).filter((name) => path.extname(name) in TYPES)
  return Promise.all(names.map(async (name) => ({ name, contents: await readFile(path.join(WEB, name)) })))
}

function asset(name: string, contents: Uint8Array): Asset {
  const gzipped = gzipSync(contents, { level: 9 })
  const etag = `"${createHash('sha256').update(gzipped).digest('base64url')}"`
  return { type: TYPES[path.extname(name)], gzipped, etag }
}
