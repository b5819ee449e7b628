import type { AddressInfo } from 'node:net'
import { Destination } from '@segment/actions-core'
import { loadDefinition } from '../../actions-cli/load'
import { buildApp } from '../app'
import type { Definition } from '../contract/exchanges'
import { routeLines, routes } from '../contract/routes'
import { describeLoadError, frameOf } from './load-error'

/** What the supervisor gives a worker, as JSON in its first argument. */
export interface WorkerConfig {
  folder: string
  directoryName: string
  ui: boolean
  bodyLimit?: number
}

/** What is known of a worker that has loaded the definition. */
export interface Ready {
  port: number
  /** The lines the original prints on start. */
  routes: string[]
}

/** What a worker tells the process that started it, which tells it nothing. */
export type WorkerMessage = { ready: Ready } | { failed: string } | { log: string }

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
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  tell({ ready: { port, routes: routeLines(routes(definition, config.directoryName)) } })
}

/** Some definitions load and cannot be built, such as one with a `required` condition that core does not know. */
function mustBuild(definition: Definition): void {
  try {
    new Destination(definition)
  } catch (cause) {
    throw new Error('The destination cannot be built', { cause })
  }
}
