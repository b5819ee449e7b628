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

let building: Promise<Map<string, Asset>> | undefined

/** The page's script and style by name, made from `src/tester-web` on the first call (in about 300 ms) and kept in memory. */
export async function bundle(): Promise<Map<string, Asset>> {
  building ??= build({
    entryPoints: { app: path.join(WEB, 'main.tsx') },
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
  }).then(({ outputFiles }) => {
    // Ends the process that esbuild keeps for further builds.
    void stop()
    return new Map(
      outputFiles.map(({ path: file, contents, hash }) => [
        path.basename(file),
        {
          type: file.endsWith('.css') ? 'text/css; charset=utf-8' : 'text/javascript; charset=utf-8',
          gzipped: gzipSync(contents, { level: 9 }),
          etag: `"${hash}"`
        }
      ])
    )
  })
  return building
}
