import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import { HttpError } from '../../http/errors'

const HEARTBEAT_MS = 15_000
const MAX_LISTENERS = 50
/** A listener that lets this much wait unread is cut off and may come back. In bytes. */
const MAX_BACKLOG = 4 * 1024 * 1024

/** What the stream emits. Deliberately small: `GET /_sandbox/state` has the whole of it. */
type SandboxEvent =
  | { type: 'contact'; change: 'created' | 'updated'; id: string; email: string }
  | { type: 'list'; id: string }
  | { type: 'membership'; listId: string; contactId: string; email: string }
  | { type: 'event'; id: string; contactId: string; email: string; matchingAutomations: number }
  | { type: 'automation-run'; id: string; automationId: string; contactId: string; email: string }
  | { type: 'request'; route: string; path: string; status: number | 'dropped'; key?: string; faultId?: string }
  | { type: 'reset' }

/** Sends everything that happens as server-sent events, at once and in order. Nothing is kept for those who come later. */
export class EventStream {
  private readonly listeners = new Set<ServerResponse>()
  private readonly heartbeat: NodeJS.Timeout

  constructor(private readonly now: () => number, heartbeatMs = HEARTBEAT_MS) {
    this.heartbeat = setInterval(() => this.write(': still here\n\n'), heartbeatMs).unref()
  }

  /** `at`, in milliseconds, is added. */
  emit(event: SandboxEvent): void {
    if (!this.listeners.size) return
    this.write(`event: ${event.type}\ndata: ${JSON.stringify({ ...event, at: this.now() })}\n\n`)
  }

  /** Answers with the stream, which goes on until the client or the sandbox ends it. @throws HttpError 503 */
  open(reply: FastifyReply): void {
    if (this.listeners.size >= MAX_LISTENERS) {
      throw new HttpError(503, `Already ${MAX_LISTENERS} listeners: close one of them first`)
    }
    const listener = reply.hijack().raw
    listener.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    listener.write('retry: 1000\n\n')
    this.listeners.add(listener)
    listener.on('close', () => this.listeners.delete(listener))
  }

  close(): void {
    clearInterval(this.heartbeat)
  }

  private write(text: string): void {
    for (const listener of this.listeners) {
      if (listener.writableLength > MAX_BACKLOG) listener.destroy()
      else listener.write(text)
    }
  }
}
