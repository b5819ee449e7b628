import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { engines, version } from '../../../package.json'
import { startSandbox } from '../../sandbox'

const root = path.join(__dirname, '../../..')
const bin = path.join(root, 'bin/run')
const FREE_PORTS = { PORT: '0', SANDBOX_PORT: '0', BRIDGE_PORT: '0' }

let folder: string
beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'manners-'))))
afterEach(() => rm(folder, { recursive: true }))

const running: (() => void)[] = []
afterEach(() => running.splice(0).forEach((end) => end()))

/** Starts a program, in a group of its own; `printed` grows. */
function start(program: string, args: string[], env: Record<string, string> = {}) {
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, npm_command: undefined, ...FREE_PORTS, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  // Emitted when nobody holds the output any more: neither the program nor what it has started.
  const closed = once(child, 'close') as Promise<[number | null]>
  running.push(() => {
    try {
      process.kill(-Number(child.pid), 'SIGKILL')
    } catch {
      // It has ended.
    }
  })
  return {
    child,
    printed: () => printed,
    ended: closed.then(([code]) => ({ code, printed })),
    async says(words: RegExp): Promise<RegExpExecArray> {
      const failed = closed.then(() => Promise.reject(new Error(printed)))
      failed.catch(() => undefined)
      for (;;) {
        const found = words.exec(printed)
        if (found) return found
        await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data'), failed])
      }
    }
  }
}

const command = (...args: string[]) => start(process.execPath, [bin, ...args])

it.each([
  ['--data of dev, given a file', ['dev', '--data', bin], `error: --data: ${bin} is a file; name a folder\n`],
  [
    'a store in no folder',
    ['bridge', '--store', '/nonexistent/x.db'],
    'error: The folder of the store /nonexistent/x.db does not exist. Create it, or name another place.\n'
  ],
  [
    'an option that makes no sense',
    ['sandbox', '--rate-limit', '0'],
    "error: option '--rate-limit <number>' argument '0' is invalid. It must be an integer from 1 to 1000000. (see bin/run sandbox --help)\n"
  ],
  ['an unknown command', ['swerve'], "error: unknown command 'swerve' (Did you mean serve?) (see bin/run --help)\n"],
  [
    'an unknown option',
    ['dev', '--prot', '1'],
    "error: unknown option '--prot' (Did you mean --port?) (see bin/run dev --help)\n"
  ],
  [
    'an option below a command',
    ['bridge', 'dead-letters', 'list', '--x'],
    "error: unknown option '--x' (see bin/run bridge dead-letters list --help)\n"
  ]
])('says in one line what is wrong with %s', async (_, args, line) => {
  const { code, printed } = await command(...args).ended
  expect(printed).toBe(line)
  expect(code).toBe(1)
})

const onLinux = process.platform === 'linux' ? it : it.skip
onLinux('ends where no folder can be made', async () => {
  const { code, printed } = await command('dev', '--data', '/proc/nowhere/x').ended
  expect(printed).toMatch(
    /^error: --data: the folder \/proc\/nowhere\/x can't be made: nothing can be made there; name another\n$/
  )
  expect(code).toBe(1)
})

it('has a version, and lists first what runs things', async () => {
  expect(await command('--version').ended).toEqual({ code: 0, printed: `${version}\n` })
  const { printed } = await command('--help').ended
  const names = [...printed.matchAll(/^ {2}([a-z:-]+) .*\S$/gm)].map(([, name]) => name)
  expect(names.slice(0, 4)).toEqual(['dev', 'bridge', 'sandbox', 'serve'])
  expect(names.indexOf('validate')).toBeGreaterThan(names.indexOf('fields'))
})

it('says in one line which Node is needed', async () => {
  const old = path.join(folder, 'old.js')
  await writeFile(
    old,
    `Object.defineProperty(process.versions, 'node', { value: '18.20.4' }); require(${JSON.stringify(bin)})`
  )
  const { code, printed } = await start(process.execPath, [old]).ended
  expect(printed).toBe(
    `error: this needs Node ${engines.node.slice(2)} or later, and here is ${process.version}: see https://nodejs.org\n`
  )
  expect(code).toBe(1)
})

it.each([
  ['npm start', 'SIGTERM', ['start', '--prefix', root], /Tester page +(\S+)[^]*Ctrl-C/],
  ['npm exec', 'SIGINT', ['exec', '-c', `exec "${bin}" sandbox`], /What it holds +(\S+)/],
  ['npm exec', 'SIGKILL', ['exec', '-c', `exec "${bin}" sandbox`], /What it holds +(\S+)/]
] as const)('ends with %s when only npm gets %s', async (_, signal, args, address) => {
  const npm = start('npm', [...args])
  const [, page] = await npm.says(address)
  npm.child.kill(signal)
  await npm.ended
  await expect(fetch(page)).rejects.toThrow()
})

it('serve names its page, finds the sandbox that runs on its usual port, and leaves no process after SIGINT', async () => {
  const sandbox = await startSandbox({ port: 0 })
  const serve = start(process.execPath, [bin, 'serve'], { SANDBOX_PORT: String(sandbox.port) })
  const [, page, found] = await serve.says(/^Tester page: (\S+)\nEmailSendX: (.*)$/m)
  expect(found).toBe(sandbox.url)
  expect(await (await fetch(`${page}/tester/start`)).json()).toMatchObject({ sandbox: sandbox.url })
  await sandbox.close()
  serve.child.kill('SIGINT')
  expect(await serve.ended).toMatchObject({ code: 0 })
})

it('serve says that no sandbox runs, and leaves no process after SIGKILL', async () => {
  const lonely = start(process.execPath, [bin, 'serve'], { SANDBOX_PORT: '9' })
  await lonely.says(
    /^Tester page: http:\/\/127\.0\.0\.1:\d+\nNo sandbox EmailSendX runs here: start one with bin\/run sandbox, /m
  )
  lonely.child.kill('SIGKILL')
  expect(await lonely.ended).toMatchObject({ code: null })
})

it('serve names the destinations there are where it is asked for another', async () => {
  const { code, printed } = await command('serve', '--destination', 'nope').ended
  expect(printed).toMatch(/^error: No destination nope in .+; there is emailsendx\n$/)
  expect(code).toBe(1)
})
