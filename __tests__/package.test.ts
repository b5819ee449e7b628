import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { version } from '../package.json'
import { npmSettings, startRegistry } from './__helpers__/registry'

const run = promisify(execFile)
const root = path.join(__dirname, '..')

jest.setTimeout(180_000)

let folder: string
let env: NodeJS.ProcessEnv
let tarball: string
let registry: { url: string; close(): void } | undefined
/** Where `npx` has put the package. */
let installed: string

beforeAll(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'from npm ')))
  await run('npm', ['pack', '--pack-destination', folder], { cwd: root })
  tarball = path.join(folder, `emailsendx-segment-${version}.tgz`)
  registry = await startRegistry(tarball)
  await mkdir(path.join(folder, 'empty'))
  env = npmSettings(folder, registry.url)
})
afterAll(async () => {
  registry?.close()
  await rm(folder, { recursive: true })
})

it('holds no test, no TypeScript but types, and nothing that the package does not run', async () => {
  const { stdout } = await run('tar', ['-tf', tarball])
  const files = stdout.trim().split('\n')
  expect(files).toEqual(
    expect.arrayContaining(['package/README.md', 'package/bin/run', 'package/dist/src/tester-web/app.js'])
  )
  const unwanted = /__tests__|\.test\.|(?<!\.d)\.tsx?$|bundle\.|upstream\/|cli\/generate/
  expect(files.filter((file) => unwanted.test(file))).toEqual([])
})

it('npx from an empty folder runs everything, and the story of the README comes true', async () => {
  const ports = { PORT: '0', SANDBOX_PORT: '0', BRIDGE_PORT: '0' }
  const npx = spawn('npx', ['--yes', 'emailsendx-segment'], {
    cwd: path.join(folder, 'empty'),
    env: { ...env, ...ports },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let output = ''
  for (const stream of [npx.stdout, npx.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const ended = once(npx, 'close')
  while (!output.includes('Ctrl-C')) {
    await Promise.race([once(npx.stdout, 'data'), ended.then(() => Promise.reject(new Error(output)))])
  }

  const [identify, track, look] = output.split('\n').filter((line) => line.trim().startsWith('curl '))
  await run('sh', ['-c', identify])
  await run('sh', ['-c', track])
  const { stdout } = await run('sh', ['-c', look])
  expect(JSON.parse(stdout)).toMatchObject({
    contact: { email: 'morgan@acme.com', firstName: 'Morgan', metadata: { plan: 'pro', company: 'Acme Corp' } },
    lists: [{ id: 'clx_list_newsletter_id' }],
    automationRuns: [{ eventName: 'purchase_completed' }]
  })
  const [, page] = /Tester page +(\S+)/.exec(output) ?? []
  expect((await fetch(page)).status).toBe(200)
  expect((await fetch(`${page}/tester/app.js`)).headers.get('content-type')).toMatch('javascript')
  expect(await readdir(path.join(folder, 'empty'))).toEqual([])

  // Only npx gets it, as from a process manager: nothing may stay behind.
  npx.kill('SIGTERM')
  await ended
  await expect(fetch(page)).rejects.toThrow()

  const [hash] = await readdir(path.join(folder, 'cache/_npx'))
  installed = path.join(folder, 'cache/_npx', hash)
})

it('has the programs and the definition for code, with types', async () => {
  const code = `
    import { startBridge, startSandbox, startServe } from 'emailsendx-segment'
    import type { Bridge, BridgeOptions, Sandbox } from 'emailsendx-segment'
    import destination from 'emailsendx-segment/destination'
    async function all(): Promise<string> {
      const sandbox: Sandbox = await startSandbox({ port: 0 })
      const options: BridgeOptions = { port: 0, store: ':memory:', apiUrl: sandbox.url, logLevel: 'silent' }
      const bridge: Bridge = await startBridge(options)
      const serve = await startServe({ port: 0, log: () => undefined })
      const { ok } = await fetch(serve.url + '/manifest')
      await Promise.all([serve.close(), bridge.close()])
      await sandbox.close()
      return [destination.name, ok].join()
    }
    all().then(console.log)`
  await writeFile(path.join(installed, 'code.ts'), code)
  const compiler = [require.resolve('typescript/bin/tsc'), '--strict', '--skipLibCheck', '--module', 'node16']
  const types = ['--types', 'node', '--typeRoots', path.join(root, 'node_modules/@types')]
  await run(process.execPath, [...compiler, ...types, '--outDir', '.', 'code.ts'], { cwd: installed })
  expect((await run(process.execPath, ['code.js'], { cwd: installed })).stdout).toBe('EmailSendX,true\n')
})

it('says what is missing to serve a definition in TypeScript', async () => {
  const own = path.join(folder, 'own')
  await mkdir(path.join(own, 'shop'), { recursive: true })
  await writeFile(path.join(own, 'shop/index.ts'), 'export default {}')
  const bin = path.join(installed, 'node_modules/.bin/emailsendx-segment')
  await expect(run(bin, ['serve', '-b', own], { env: { ...env, PORT: '0' } })).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^error: .*shop\/index\.ts: to read TypeScript, tsx is needed: npm install tsx\n$/)
  })
})
