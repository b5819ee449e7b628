import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import path from 'node:path'
import { watch } from 'chokidar'
import debounce from 'lodash/debounce'
import { WebSocket, WebSocketServer } from 'ws'
import { hostnameOf, isLoopback } from '../../http/loopback'

/** Editors write a file in several steps, and a checkout many files. */
const SETTLE_MS = 100

/** Calls `changed` with the last file changed, once things have settled. Tests, packages and hidden files do not count. */
export async function watchFolder(
  folder: string,
  changed: (file: string) => void
): Promise<{ close(): Promise<void> }> {
  const ignored = (file: string) => /(^|[\\/])(\.|__tests__|node_modules)/.test(path.relative(folder, file))
  const settled = debounce(changed, SETTLE_MS)
  const watcher = watch(folder, { ignored, ignoreInitial: true })
  watcher.on('all', (_event, file) => settled(file))
  // Resolves with `ready`, rejects with `error`, for instance when the system watches too many files already.
  await once(watcher, 'ready')
  return {
    async close() {
      settled.cancel()
      await watcher.close()
    }
  }
}

export interface LiveReload {
  /** Sends the text frame `change` to every open page. */
  announce(): void
  close(): Promise<void>
}

/**
 * The websocket beside the server, on which open pages learn of changes; they send nothing.
 * @throws the error of `listen`, such as EADDRINUSE
 */
export async function startLiveReload(port: number, host: string): Promise<LiveReload> {
  const server = new WebSocketServer({
    port,
    host,
    maxPayload: 1024,
    verifyClient: ({ req }: { req: IncomingMessage }) => isLoopback(hostnameOf(req.headers.host))
  })
  server.on('connection', (page) => page.on('error', () => page.terminate()))
  await once(server, 'listening')
  return {
    announce() {
      for (const page of server.clients) if (page.readyState === WebSocket.OPEN) page.send('change')
    },
    async close() {
      for (const page of server.clients) page.terminate()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}
