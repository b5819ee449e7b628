import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { version } from '../package.json'
import { Image, stagesOf } from './__helpers__/dockerfile'
import { freePort } from './__helpers__/free-port'
import { npmSettings, startRegistry } from './__helpers__/registry'

const run = promisify(execFile)
const root = path.join(__dirname, '..')

/*
 * What is shipped: the package on npm and the image. It is built once, in the stage of the Dockerfile that builds, by `npm pack`,
 * which does `npm run build` first.
 */

jest.setTimeout(180_000)

let folder: string
/** The stage that builds stands in the checkout, so that it finds the packages there. */
let workshop: string
let env: NodeJS.ProcessEnv
let tarball: string
let registry: { url: string; close(): void } | undefined
let image: Image
/** Where `npx` has put the package. */
let installed: string

beforeAll(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'from npm ')))
  workshop = await mkdtemp(path.join(root, '.image-'))
  // The process in the container is not root.
  await chmod(folder, 0o755)
  tarball = path.join(folder, `emailsendx-segment-${version}.tgz`)
  registry = await startRegistry(tarball, path.join(folder, 'packages'))
  await mkdir(path.join(folder, 'empty'))
  env = npmSettings(folder, registry.url)

  const deploy = (file: string) => readFile(path.join(root, 'deploy', file), 'utf8')
  const ignored = (await deploy('Dockerfile.dockerignore')).trim().split('\n')
  image = new Image(
    stagesOf(await deploy('Dockerfile')),
    ignored.map((line) => line.replace('**/', '')),
    ({ name }, place) => path.join(name === 'build' ? workshop : path.join(folder, name || 'image'), place),
    env
  )
  const [build] = image.stages
  await image.make(build, {
    // The packages are there already: see above.
    'npm ci --no-audit --no-fund': null,
    'npm run build': `npm pack --pack-destination '${folder}'`
  })
})
afterAll(async () => {
  registry?.close()
  await run('rm', ['-r', folder, workshop])
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
  const types = ['--lib', 'es2022', '--types', 'node', '--typeRoots', path.join(root, 'node_modules/@types')]
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

it('the Dockerfile makes a bridge that runs as somebody else than root, is healthy, and ends with 0 on SIGTERM', async () => {
  const NOBODY = 65_534
  const [, packages, last] = image.stages
  await image.make(packages)
  await image.make(last)
  const said = (name: string) => last.instructions.filter((instruction) => instruction.name === name)
  const command = (name: string) => JSON.parse(said(name)[0].text.replace(/^.*?(?=\[)/, '')) as string[]
  expect([said('USER')[0].text, said('VOLUME')[0].text, said('STOPSIGNAL')[0].text]).toEqual([
    'node',
    '/data',
    'SIGTERM'
  ])

  const port = String(await freePort())
  const options = {
    cwd: image.placeIn(last, '/'),
    env: {
      PATH: process.env.PATH,
      ...Object.fromEntries(
        said('ENV')[0]
          .text.split(' ')
          .map((pair) => pair.split('='))
      ),
      BRIDGE_STORE: image.placeIn(last, '/data/bridge.db'),
      BRIDGE_HOST: '127.0.0.1',
      BRIDGE_PORT: port
    },
    ...(process.getuid?.() === 0 && { uid: NOBODY, gid: NOBODY })
  }
  if (options.uid) await run('chown', [`${NOBODY}:${NOBODY}`, image.placeIn(last, '/data')])
  const [program, ...args] = [...command('ENTRYPOINT'), ...command('CMD')].map((arg) =>
    arg.replace(/^\/app/, image.placeIn(last, '/app'))
  )
  const bridge = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(bridge, 'exit')
  await Promise.race([
    once(bridge.stdout, 'data'),
    ended.then(([code]) => Promise.reject(new Error(`it ended with ${code}`)))
  ])
  const [healthcheck, ...check] = command('HEALTHCHECK')
  await run(healthcheck, check, options)
  bridge.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
  await expect(run(healthcheck, check, options)).rejects.toMatchObject({ code: 1 })
})
