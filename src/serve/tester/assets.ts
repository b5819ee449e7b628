import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, stop } from 'esbuild'

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

let building: Promise<Map<string, Asset>> | undefined

/** The page's files by name, made from `src/tester-web` on the first call (in about 300 ms) and kept in memory. */
export async function assets(): Promise<Map<string, Asset>> {
  building ??= bundle()
  return building
}

async function bundle(): Promise<Map<string, Asset>> {
  const { outputFiles } = await build({
    entryPoints: { app: path.join(WEB, 'main.tsx'), icon: path.join(WEB, 'icon.svg') },
    loader: { '.svg': 'copy' },
    outdir: '/',
    write: false,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    logLevel: 'silent'
  })
  // Ends the process that esbuild keeps for further builds.
  void stop()
  return new Map(
    outputFiles.map(({ path: file, contents, hash }) => [
      path.basename(file),
      { type: TYPES[path.extname(file)], gzipped: gzipSync(contents, { level: 9 }), etag: `"${hash}"` }
    ])
  )
}
