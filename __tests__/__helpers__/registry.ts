import { spawn } from 'node:child_process'
import { createReadStream, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'

const root = path.join(__dirname, '../..')

interface Package {
  name: string
  version: string
  /** Writes its archive. */
  send(response: ServerResponse): void
}

/**
 * A registry on this machine that has the packages installed in this checkout, and maybe one more: installing from it shows what
 * somebody gets who has nothing yet, and needs no network.
 * @param tarball the package to try
 */
export async function startRegistry(tarball?: string): Promise<{ url: string; close(): void }> {
  const packages = [...installed(), ...(tarball ? [{ ...manifestIn(root), send: sendFile(tarball) }] : [])]
  const server = createServer(({ url = '' }, response) => {
    const [, index] = /^\/-\/(\d+)$/.exec(url) ?? []
    if (index !== undefined) return packages[Number(index)].send(response)
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

function installed(): Package[] {
  const { packages } = readJson(path.join(root, 'node_modules/.package-lock.json')) as { packages: object }
  return Object.keys(packages).map((folder) => {
    const place = path.join(root, folder)
    return { ...manifestIn(place), send: sendFolder(place) }
  })
}

const manifestIn = (folder: string) => readJson(path.join(folder, 'package.json')) as { name: string; version: string }

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'))

const sendFile = (file: string) => (response: ServerResponse) => void createReadStream(file).pipe(response)

const sendFolder = (folder: string) => (response: ServerResponse) => {
  const { dir, base } = path.parse(folder)
  spawn('tar', ['-c', '--exclude', 'node_modules', '-C', dir, base]).stdout.pipe(response)
}
