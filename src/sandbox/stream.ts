import type { ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Happenings } from './happenings'
import { ApiError } from './http'

const HEARTBEAT_MS = 15_000
const MAXIMUM_LISTENERS = 50
/** A listener that lets this much wait unread is cut off and may come back. In bytes. */
const MAXIMUM_BACKLOG = 4 * 1024 * 1024

/** `GET /stream`: every happening as a server-sent event named after its type. Nothing is kept for those who come later. */
export function addStream(app: FastifyInstance, happenings: Happenings, heartbeatMs = HEARTBEAT_MS): void {
  const listeners = new Set<ServerResponse>()

  const send = (text: string) => {
    for (const listener of listeners) {
      if (listener.writableLength > MAXIMUM_BACKLOG) listener.destroy()
      else listener.write(text)
    }
  }

  const stopListening = happenings.listen((happening) => {
    if (listeners.size) send(`event: ${happening.type}\ndata: ${JSON.stringify(happening)}\n\n`)
  })
  const heartbeat = setInterval(() => send(': still here\n\n'), heartbeatMs).unref()
  app.addHook('onClose', async () => {
    clearInterval(heartbeat)
    stopListening()
  })

  app.get('/stream', (_request, reply) => {
    if (listeners.size >= MAXIMUM_LISTENERS) {
      throw new ApiError(503, `Already ${MAXIMUM_LISTENERS} listeners: close one of them first`)
    }
    reply.hijack()
    const listener = reply.raw
    listener.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    listener.write('retry: 1000\n\n')
    listeners.add(listener)
    listener.on('close', () => listeners.delete(listener))
  })
}
