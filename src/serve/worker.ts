import type { Socket } from 'node:net'
import { Destination } from '@segment/actions-core'
import { loadDefinition } from '../actions-cli/load'
import { buildApp } from './app'
import type { Definition } from './definition'
import { describeLoadError, frameOf } from './load-error'
import { routeLines, routes } from './routes'

/** What the supervisor gives a worker, as JSON in its first argument. */
export interface WorkerConfig {
  folder: string
  directoryName: string
  ui: boolean
  bodyLimit?: number
}

/** What a worker tells the supervisor. */
export type WorkerMessage = { ready: string[] } | { failed: string } | { log: string }

/** How long a connection that has not asked anything may stay, and how long a slow answer may take, once retired. */
const IDLE_MS = 1_000
const LAST_ANSWER_MS = 60_000

const tell = (message: WorkerMessage, then?: () => void) => process.send?.(message, undefined, undefined, then)

// Ctrl-C reaches the whole process group; the supervisor says when to end, also by dying.
process.on('SIGINT', () => undefined)
process.on('disconnect', () => process.exit(0))
process.on('uncaughtException', (error) => {
  // Only where and what kind: the words of the error may hold a key or an address.
  const place = frameOf(error) ?? 'a package'
  tell({ log: `${error.name} that nothing caught, thrown in ${place}` }, () => process.exit(1))
})

// The loader's own frames fill the usual ten on Node 22 and later, and the definition's come after them.
Error.stackTraceLimit = 50

const config = JSON.parse(process.argv[2]) as WorkerConfig
start(config).catch((error: unknown) => {
  tell({ failed: describeLoadError(error, config.folder) }, () => process.exit(1))
})

async function start({ folder, ...config }: WorkerConfig): Promise<void> {
  const { definition } = await loadDefinition(folder)
  mustBuild(definition)
  const app = buildApp({ ...config, definition, log: (line) => tell({ log: line }) })
  await app.ready()

  const open = new Set<Socket>()
  let retired = false
  // One request per connection, so that the next one always reaches the newest worker.
  app.server.prependListener('request', (_request, response) => (response.shouldKeepAlive = false))
  process.on('message', (message, socket: Socket | undefined) => {
    if (message === 'retire') return retire()
    if (!socket) return
    open.add(socket)
    socket.once('close', () => {
      open.delete(socket)
      if (retired) leaveWhenDone()
    })
    app.server.emit('connection', socket)
    socket.resume()
  })
  tell({ ready: routeLines(routes(definition, config.directoryName)) })

  function retire(): void {
    retired = true
    leaveWhenDone()
    setTimeout(
      () => [...open].filter(({ bytesRead }) => bytesRead === 0).forEach((socket) => socket.destroy()),
      IDLE_MS
    )
    setTimeout(() => process.exit(0), LAST_ANSWER_MS)
  }

  function leaveWhenDone(): void {
    if (open.size === 0) process.exit(0)
  }
}

/** Some definitions load and cannot be built, such as one with a `required` condition that core does not know. */
function mustBuild(definition: Definition): void {
  try {
    new Destination(definition)
  } catch (cause) {
    throw new Error('The destination cannot be built', { cause })
  }
}
