import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { WebSocket, WebSocketServer } from 'ws'
import { hostnameOf, isLoopback } from '../http/loopback'

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
