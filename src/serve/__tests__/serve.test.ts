import { once } from 'node:events'
import fs from 'node:fs/promises'
import http from 'node:http'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { WebSocket } from 'ws'
import { startServe } from '..'
import { freePort } from '../../../__tests__/__helpers__/free-port'
import type { ServeOptions } from '..'
import { startUpstream } from './__helpers__/upstream'

const repository = path.resolve(__dirname, '../../..')
const demo = path.join(__dirname, '__helpers__/demo/index.ts')

jest.setTimeout(60_000)

let root: string
let directory: string
let entry: string
let lines: string[]
let servers: Awaited<ReturnType<typeof startServe>>[]

beforeEach(async () => {
  root = await fs.mkdtemp(path.join(os.tmpdir(), 'serve-'))
  directory = path.join(root, 'definitions')
  entry = path.join(directory, 'demo/index.ts')
  await fs.mkdir(path.dirname(entry), { recursive: true })
  await fs.symlink(path.join(repository, 'node_modules'), path.join(root, 'node_modules'))
  await fs.copyFile(demo, entry)
  lines = []
  servers = []
})
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()))
  await fs.rm(root, { recursive: true })
})

async function start(options: ServeOptions = {}) {
  const server = await startServe({ port: 0, directory, log: (line) => lines.push(line), ...options })
  servers.push(server)
  return server
}

const edit = async (change: (text: string) => string) => fs.writeFile(entry, change(await fs.readFile(demo, 'utf8')))
const manifest = async (url: string) => (await fetch(`${url}/manifest`)).json()

async function until<T>(what: () => T | Promise<T>): Promise<NonNullable<T>> {
  const deadline = Date.now() + 20_000
  for (;;) {
    const value = await what()
    if (value) return value
    if (Date.now() > deadline) throw new Error(`It never came; the output was:\n${lines.join('\n')}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
const line = (start: string) => until(() => lines.find((each) => each.startsWith(start)))

/** Fails when somebody has the port. */
async function takes(port: number): Promise<void> {
  const server = net.createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  server.close()
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** One POST, on a connection of its own unless an agent keeps one. */
const call = (url: string, route: string, body: unknown, agent: http.Agent | false = false): Promise<number> =>
  new Promise((resolve, reject) => {
    const request = http.request(
      url + route,
      { method: 'POST', agent, headers: { 'content-type': 'application/json' } },
      (response) => response.resume().on('end', () => resolve(response.statusCode ?? 0))
    )
    request.on('error', reject).end(JSON.stringify(body))
  })

it('listens, lists its routes in the order of the original and serves the only destination there is, to this machine alone', async () => {
  const { url, port } = await start()
  expect(lines[0].split('\n')).toEqual([
    `Listening at http://localhost:${port} ->`,
    '  POST /delete',
    '  POST /authenticate',
    '  POST /authentication',
    '  POST /createAudience',
    '  POST /getAudience',
    '  POST /refreshAccessToken',
    '  POST /save',
    '  POST /echo',
    '  POST /refuse',
    '  POST /save/plan',
    '  POST /save/tags',
    '  POST /save/tags.*',
    '  POST /save/rows',
    '  POST /save/rows.*',
    '  POST /save/hooks/onMappingSave',
    '  POST /save/hooks/onMappingSave/dynamic/colour'
  ])
  expect(await manifest(url)).toMatchObject({ name: 'Demo', directoryName: 'demo' })
  await line('GET /manifest 200 ')

  // Both ports are closed to foreign hosts.
  const page = new WebSocket(`ws://127.0.0.1:${port + 1}`, { headers: { host: 'evil.example' } })
  const [error] = await once(page, 'error')
  expect((error as Error).message).toContain('401')
  const request = http.get({ port, host: '127.0.0.1', headers: { host: 'evil.example' } })
  const [response] = await once(request, 'response')
  expect(response.resume().statusCode).toBe(403)
})

it('gives the definition a copy of actions-core of its own, as Segment’s CLI does by emptying the require cache', async () => {
  const upstream = await startUpstream()
  upstream.answer(({ body }) => (body.startsWith('[') ? { json: {} } : { status: 404, json: { error: 'gone' } }))
  const asks = 'const own = await request(settings.upstream).catch((error: unknown) => error instanceof HTTPError)'
  await edit((text) =>
    text
      .replace('import { Integ', 'import { HTTPError, Integ')
      .replace('perform: () => {', `perform: async (request, { settings }) => {\n        ${asks}`)
      .replace("'Not today.'", '`of its own: ${String(own)}`')
  )
  const { url } = await start({ ui: false })
  const ask = async (route: string, payload: object) => {
    const body = JSON.stringify({ payload, settings: { apiKey: 'k', upstream: upstream.url } })
    const reply = await fetch(url + route, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    return (await reply.json())[0]
  }
  expect(await ask('/refuse', {})).toMatchObject({ statusCode: 422, message: 'of its own: false' })
  expect(await ask('/save', { traits: { email: 'a@b.co' } })).toMatchObject({
    statusCode: 404,
    message: { error: 'gone' }
  })
  const batch = await fetch(`${url}/save?multistatus=true`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      payload: [{ traits: { email: 'a@b.co' }, plan: 'gone' }],
      mapping: { plan: { '@path': '$.plan' } },
      settings: { apiKey: 'k', upstream: upstream.url }
    })
  })
  expect((await batch.json()).multistatus[0]).toMatchObject({ status: 400, errormessage: 'no such plan' })
  await upstream.close()
})

describe('when the definition changes', () => {
  it('serves the new one, and no request is lost meanwhile, on new connections or on kept ones', async () => {
    const { url, port } = await start()
    const page = new WebSocket(`ws://127.0.0.1:${port + 1}`)
    const frame = once(page, 'message')
    await once(page, 'open')
    // Core keeps the schema of an action for the life of a process.
    const fields = async () => {
      const body = JSON.stringify({ payload: { traits: { email: 'nope' } } })
      const headers = { 'content-type': 'application/json' }
      return (await (await fetch(`${url}/save`, { method: 'POST', headers, body })).json())[0].fields
    }
    expect(await fields()).toHaveProperty('email')

    const statuses = new Set<unknown>()
    const done = new AbortController()
    const keeping = new http.Agent({ keepAlive: true, maxSockets: 1 })
    const client = async (agent: http.Agent | false) => {
      while (!done.signal.aborted) {
        statuses.add(await call(url, '/refuse', {}, agent).catch((error: Error) => error.message))
      }
    }
    const clients = Promise.all([client(false), client(keeping)])
    try {
      await edit((text) => text.replace("name: 'Demo'", "name: 'Second'").replace("format: 'email',", ''))
      await until(async () => (await manifest(url)).name === 'Second')
    } finally {
      done.abort()
      await clients
      keeping.destroy()
      page.terminate()
    }
    expect([...statuses]).toEqual([200])
    const [data, isBinary] = await frame
    expect([String(data), isBinary]).toEqual(['change', false])
    expect(await line('Restarted: ')).toMatch(/definitions\/demo\/index\.ts has changed$/)
    expect(await fields()).toBeUndefined()
  })

  it('lets a call finish that the old one has begun, whose process then ends', async () => {
    const upstream = await startUpstream()
    const release = upstream.hold()
    await edit((text) => text.replace("name: 'Demo'", 'name: `Demo${process.pid}`'))
    const { url } = await start()
    const pid = Number((await manifest(url)).name.slice(4))
    const settings = { apiKey: 'k', upstream: upstream.url }
    const slow = call(url, '/save', { payload: { traits: { email: 'a@b.co' } }, settings })
    await until(() => upstream.received.length)
    await edit((text) => text.replace("name: 'Demo'", "name: 'Second'"))
    await until(async () => (await manifest(url)).name === 'Second')
    expect(isAlive(pid)).toBe(true)
    release()
    expect(await slow).toBe(200)
    await until(() => !isAlive(pid))
    await upstream.close()
  })

  it('keeps the old one while the new one is broken, and says in one line what and where', async () => {
    const { url } = await start()
    const condition = "{ conditions: [{ type: 'syncMode', operator: 'is', value: 'add' }] }"
    const broken: [(text: string) => string, RegExp][] = [
      [(text) => text.replace('const destination', 'const const destination'), /index\.ts:\d+: Expected/],
      [(text) => `${text}\nthrow new TypeError('no luck')\n`, /index\.ts:\d+: TypeError: no luck$/],
      [(text) => `import './nowhere'\n${text}`, /index\.ts:1: Error: Cannot find module '\.\/nowhere'$/],
      [() => 'export const nothing = 1\n', /index\.ts: exports no destination/],
      [
        (text) => text.replace('required: true,\n      default', `required: ${condition},\n      default`),
        /demo: TypeError: /
      ],
      [(text) => `${text}\nprocess.exit(7)\n`, /demo: its process ended with code 7 while loading$/]
    ]
    for (const [breaks, reason] of broken) {
      lines.length = 0
      await edit(breaks)
      const said = await line('Not restarted: ')
      expect(said).toMatch(reason)
      expect(said).not.toContain('\n')
      expect((await manifest(url)).name).toBe('Demo')
    }
    await edit((text) => text.replace("name: 'Demo'", "name: 'Mended'"))
    await until(async () => (await manifest(url)).name === 'Mended')
  })
})

describe('when the definition ends its process', () => {
  it('starts it again, the words of the error kept out of the output', async () => {
    const thrown = "setTimeout(() => { throw new RangeError('ada@example.com') })\n        throw"
    await edit((text) => text.replace("throw new IntegrationError('Not", `${thrown} new IntegrationError('Not`))
    const { url } = await start()
    await call(url, '/refuse', {}).catch(() => 'cut off')
    await line('The definition ended its process; it is started again')
    expect(await line('RangeError that nothing caught, thrown in ')).toMatch(/demo\/index\.ts:\d+$/)
    expect((await manifest(url)).name).toBe('Demo')
    expect(lines.join('\n')).not.toContain('ada@')
  })

  it('answers 503 where it ends at once, until the next change', async () => {
    await edit((text) => `${text}\nsetTimeout(() => process.exit(3), 300)\n`)
    const { url } = await start()
    await line('The definition ended its process at once')
    const reply = await fetch(`${url}/manifest`)
    expect([reply.status, await reply.text()]).toEqual([503, expect.stringContaining('does not run')])
    await edit((text) => text)
    await until(async () => (await fetch(`${url}/manifest`)).status === 200)
  })
})

describe('what it is given', () => {
  it('is not a definition that does not load: it says why and leaves the port', async () => {
    await edit((text) => text.replace('const destination', 'const const destination'))
    const port = await freePort()
    await expect(start({ port })).rejects.toThrow(/index\.ts:\d+: Expected/)
    await takes(port)
  })

  it('names the destinations there are', async () => {
    await expect(start({ destination: 'nope' })).rejects.toThrow(/^No destination nope in .*; there is demo$/)
    await fs.cp(path.dirname(entry), path.join(directory, 'other'), { recursive: true })
    await expect(start()).rejects.toThrow('Say which destination to serve with --destination: demo, other')
    await expect(start({ directory: root })).rejects.toThrow(/no destination here/)
    await expect(start({ directory: path.join(root, 'nowhere') })).rejects.toThrow(/no such folder/)
  })

  it('counts: destination, environment, body limit, no page, no watch', async () => {
    const other = path.join(directory, 'other/index.ts')
    await fs.mkdir(path.dirname(other))
    await fs.writeFile(other, (await fs.readFile(demo, 'utf8')).replace("'Demo'", "process.env.DEMO_NAME ?? ''"))
    const env = { DEMO_NAME: 'Given' }
    const { url, port } = await start({ destination: 'other', env, bodyLimit: 300_000, ui: false, watch: false })
    expect(await manifest(url)).toMatchObject({ name: 'Given', directoryName: 'other' })
    expect(await call(url, '/refuse', { x: 'x'.repeat(250_000) })).toBe(200)
    const [error] = await once(net.connect(port + 1, '127.0.0.1'), 'error')
    expect((error as NodeJS.ErrnoException).code).toBe('ECONNREFUSED')
    expect((await fetch(url)).status).toBe(404)
  })
})

describe('the ports', () => {
  /** Whatever runs beside this test may have the second port of a pair already: then another pair is taken. */
  async function portBeforeATakenOne(): Promise<{ port: number; other: net.Server }> {
    const port = await freePort()
    const other = net.createServer().listen(port + 1, '127.0.0.1')
    return once(other, 'listening').then(() => ({ port, other }), portBeforeATakenOne)
  }

  it('are told when they are in use, and are left at once with a call under way', async () => {
    const { port, other } = await portBeforeATakenOne()
    const { url, close } = await start({ port })
    other.close()
    // Without the second one pages do not learn of changes.
    expect(lines[0]).toMatch(`Port ${port + 1} cannot be had`)
    expect((await manifest(url)).name).toBe('Demo')
    await expect(start({ port })).rejects.toThrow(`port ${port} is in use: stop what uses it, or choose another`)

    const upstream = await startUpstream()
    upstream.hold()
    const settings = { apiKey: 'k', upstream: upstream.url }
    const lost = call(url, '/save', { payload: { traits: { email: 'a@b.co' } }, settings }).catch(
      (error: Error) => error.message
    )
    await until(() => upstream.received.length)
    await Promise.all([close(), close()])
    expect(await lost).toMatch(/hang up|ECONNRESET/)
    await takes(port)
    await upstream.close()
  })

  it.each(['abc', '-1', '65536'])('PORT=%s is refused', async (PORT) => {
    process.env.PORT = PORT
    try {
      await expect(start({ port: undefined })).rejects.toThrow(`PORT must be a number from 0 to 65535, not ${PORT}`)
    } finally {
      delete process.env.PORT
    }
  })
})
