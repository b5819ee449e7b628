import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { validate } from 'dockerfile-utils'
import { parse } from 'yaml'
import { stagesOf } from './__helpers__/dockerfile'
import type { Stage } from './__helpers__/dockerfile'
import { freePort } from './__helpers__/free-port'
import { npmSettings, startRegistry } from './__helpers__/registry'

const run = promisify(execFile)
const root = path.join(__dirname, '..')
const deploy = (file: string) => readFile(path.join(root, 'deploy', file), 'utf8')

jest.setTimeout(180_000)

/*
 * No image can be built here, so what the Dockerfile says is done in a folder: each stage is a folder of its own, COPY copies and
 * RUN runs. What that leaves out is the base image, USER (done by the id of the process) and the read-only file system.
 */
describe('the Dockerfile', () => {
  let folder: string
  /** The stage that builds stands in the checkout, so that it finds the packages there. */
  let workshop: string
  let stages: Stage[]
  let registry: { url: string; close(): void }

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'image-'))
    workshop = await mkdtemp(path.join(root, '.image-'))
    // The process in the container is not root.
    await chmod(folder, 0o755)
    stages = stagesOf(await deploy('Dockerfile'))
    registry = await startRegistry()
  })
  afterAll(async () => {
    registry.close()
    await rm(folder, { recursive: true })
    await rm(workshop, { recursive: true })
  })

  it('has nothing that the linter minds', async () => {
    expect(validate(await deploy('Dockerfile'))).toEqual([])
  })

  it('makes a bridge that runs as somebody else than root, is healthy, and ends with 0 on SIGTERM', async () => {
    for (const stage of stages) await make(stage)
    const image = stages[stages.length - 1]
    const said = (name: string) => image.instructions.filter((instruction) => instruction.name === name)
    const command = (name: string) => JSON.parse(said(name)[0].text.replace(/^.*?(?=\[)/, '')) as string[]
    expect([said('USER')[0].text, said('VOLUME')[0].text, said('STOPSIGNAL')[0].text]).toEqual([
      'node',
      '/data',
      'SIGTERM'
    ])

    const port = String(await freePort())
    const options = {
      cwd: inStage(image, '/'),
      env: {
        PATH: process.env.PATH,
        ...Object.fromEntries(
          said('ENV')[0]
            .text.split(' ')
            .map((pair) => pair.split('='))
        ),
        BRIDGE_STORE: inStage(image, '/data/bridge.db'),
        BRIDGE_HOST: '127.0.0.1',
        BRIDGE_PORT: port
      },
      ...(process.getuid?.() === 0 && { uid: NOBODY, gid: NOBODY })
    }
    if (options.uid) await run('chown', [`${NOBODY}:${NOBODY}`, inStage(image, '/data')])
    const [program, ...args] = [...command('ENTRYPOINT'), ...command('CMD')].map((arg) =>
      arg.replace(/^\/app/, inStage(image, '/app'))
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

  const NOBODY = 65_534
  const inStage = ({ name }: Stage, place: string) =>
    name === 'build' ? path.join(workshop, place) : path.join(folder, name || 'image', place)

  async function make(stage: Stage): Promise<void> {
    let workdir = '/'
    for (const { name, text } of stage.instructions) {
      if (name === 'WORKDIR') await mkdir(inStage(stage, (workdir = text)), { recursive: true })
      if (name === 'COPY') await copy(stage, workdir, text.split(' '))
      if (name === 'RUN') await execute(stage, workdir, text)
    }
  }

  async function copy(stage: Stage, workdir: string, words: string[]): Promise<void> {
    const from = words[0].startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined
    const source = stages.find(({ name }) => name === from)
    const target = path.resolve('/', workdir, words.pop() ?? '')
    const ignored = (await deploy('Dockerfile.dockerignore'))
      .trim()
      .split('\n')
      .map((line) => line.replace('**/', ''))
    const everything = (await readdir(root)).filter((name) => !name.startsWith('.image-') && !ignored.includes(name))
    for (const word of words[0] === '.' ? everything : words) {
      const place = source ? inStage(source, word) : path.join(root, word)
      const into = words.length > 1 || words[0] === '.' ? path.join(target, word) : target
      const filter = (file: string) => source !== undefined || !ignored.includes(path.basename(file))
      await cp(place, inStage(stage, into), { recursive: true, filter, verbatimSymlinks: true })
    }
  }

  async function execute(stage: Stage, workdir: string, text: string): Promise<void> {
    const cwd = inStage(stage, workdir)
    // What this installs is there already: see above.
    if (text.startsWith('npm ci') && !text.includes('--omit')) return
    if (text.startsWith('npm ci')) await withoutIntegrity(path.join(cwd, 'package-lock.json'))
    // There is no user of that name here, and the file system begins elsewhere.
    const here = text.replace(/ && chown \S+ \S+/, '').replace(/ \/data/, ` ${inStage(stage, '/data')}`)
    await run('sh', ['-c', here], { cwd, env: { ...npmSettings(folder, registry.url), PATH: process.env.PATH } })
  }

  /** The registry here packs the same files into other archives. */
  async function withoutIntegrity(file: string): Promise<void> {
    await writeFile(file, (await readFile(file, 'utf8')).replace(/^ +"integrity": .*\n/gm, ''))
  }
})

it.each(['compose.yaml', 'compose.postgres.yaml'])(
  '%s: what it builds is there, nothing is open to others',
  async (file) => {
    const { services, volumes } = parse(await deploy(file)) as Compose
    const { bridge } = services
    const context = path.join(root, 'deploy', bridge.build?.context ?? '')
    expect(existsSync(path.join(context, bridge.build?.dockerfile ?? ''))).toBe(true)
    expect(bridge).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] })
    for (const { ports = [], volumes: mounted = [] } of Object.values(services)) {
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
      for (const mount of mounted) expect(Object.keys(volumes)).toContain(mount.split(':')[0])
    }
  }
)

interface Compose {
  services: Record<string, { build?: { context: string; dockerfile: string }; ports?: string[]; volumes?: string[] }>
  volumes: Record<string, unknown>
}

it('the systemd unit is one that systemd understands, where there is one', async () => {
  const unit = path.join(root, 'deploy/emailsendx-bridge.service')
  expect(await readFile(unit, 'utf8')).toMatch(/^ExecStart=\/usr\/bin\/env emailsendx-segment bridge$/m)
  const verified = await run('systemd-analyze', ['verify', unit]).catch(
    (error: NodeJS.ErrnoException & { stderr: string }) => error
  )
  if ('code' in verified && verified.code === 'ENOENT') return
  expect(verified.stderr).toBe('')
})
