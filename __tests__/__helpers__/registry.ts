import { execFile } from 'node:child_process'
import { createReadStream, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = path.join(__dirname, '../..')

interface Package {
  name: string
  version: string
  archive: string
}

/**
 * A registry on this machine that has the packages which this one runs with, as they are installed in this checkout, and this
 * one: installing from it shows what somebody gets who has nothing yet, and needs no network.
 * @param tarball this package; it may be made later
 * @param folder for archives of the others
 */
export async function startRegistry(tarball: string, folder: string): Promise<{ url: string; close(): void }> {
  const packages: Package[] = [...(await packInstalled(folder)), { ...manifestIn(root), archive: tarball }]
  const server = createServer(({ url = '' }, response) => {
    const [, index] = /^\/-\/(\d+)$/.exec(url) ?? []
    // As the real one says, so that npm asks once.
    response.setHeader('cache-control', 'public, max-age=300')
    if (index !== undefined) return void createReadStream(packages[Number(index)].archive).pipe(response)
    const name = decodeURIComponent(url.slice(1))
    const versions = packages.flatMap((one, at) =>
      one.name === name ? [[one.version, { ...one, dist: { tarball: `${origin()}/-/${at}` } }] as const] : []
    )
    if (versions.length === 0) return response.writeHead(404).end('{}')
    const latest = versions[versions.length - 1][0]
    response.end(JSON.stringify({ name, versions: Object.fromEntries(versions), 'dist-tags': { latest } }))
  })
  const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: origin(), close: () => void server.close() }
}

/** The environment of an npm that was never used, on that registry. @param folder its cache and its settings are there */
export const npmSettings = (folder: string, url: string): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name))),
  npm_config_registry: url,
  npm_config_cache: path.join(folder, 'cache'),
  npm_config_userconfig: path.join(folder, 'npmrc')
})

/** Every argument is the folder of a package; its archive is named after its place among them. */
const PACK = 'n=0; for it; do tar -cf $n.tar --exclude node_modules -C "${it%/*}" "${it##*/}"; n=$((n+1)); done'

async function packInstalled(folder: string): Promise<Package[]> {
  const { packages } = readJson(path.join(root, 'node_modules/.package-lock.json')) as {
    packages: Record<string, { dev?: boolean }>
  }
  const places = Object.keys(packages).flatMap((place) => (packages[place].dev ? [] : [path.join(root, place)]))
  await mkdir(folder)
  // By one process: each that is started by one as big as jest costs more than an archive.
  await run('sh', ['-ec', PACK, 'pack', ...places], { cwd: folder })
  return places.map((place, at) => ({ ...manifestIn(place), archive: path.join(folder, `${at}.tar`) }))
}

const manifestIn = (folder: string) => readJson(path.join(folder, 'package.json')) as { name: string; version: string }

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'))
