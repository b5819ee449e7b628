import type { Socket } from 'node:net'
import type { FastifyError, FastifyInstance } from 'fastify'

/** A refusal that a client can read: answered with its status, its headers and `{"error": message}`. */
export class HttpError extends Error {
  constructor(readonly statusCode: number, message: string, readonly headers: Record<string, string> = {}) {
    super(message)
  }
}

/** How a server answers an error. */
export interface ErrorAnswer {
  status: number
  message: string
  headers: Record<string, string>
}

/** What a client is told of a fault of the server: its own words may hold what was sent. */
const FAULT = 'Internal server error'

/**
 * What to answer for whatever a route or Fastify threw: the error's own status and words where the client can do something
 * about it, else 500 without the words.
 */
export function errorAnswer(error: Error & Partial<Pick<FastifyError, 'code' | 'statusCode'>>): ErrorAnswer {
  if (error instanceof HttpError) return { status: error.statusCode, message: error.message, headers: error.headers }
  const { statusCode: status = 500, message } = error
  return { status, message: status < 500 ? message : FAULT, headers: {} }
}

/**
 * Lets an app, or the part of one that a plugin is, answer every error with `{"error": …}`.
 * @param explain the answer for errors that the server has better words for
 * @param failed told of errors that are the server's fault
 */
export function answerErrors(
  app: FastifyInstance,
  explain: (error: FastifyError) => ErrorAnswer = errorAnswer,
  failed: (error: FastifyError, route: string) => void = () => undefined
): void {
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const { status, message, headers } = explain(error)
    if (status === 500) failed(error, `${request.method} ${request.routeOptions.url ?? '(unknown path)'}`)
    return reply.code(status).headers(headers).send({ error: message })
  })
}

const ANSWERS: Record<string, [status: string, message: string]> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'the head of the request is over 16 KB'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request took too long to come in']
}
const NOT_HTTP: [string, string] = ['400 Bad Request', 'this is not HTTP that the server understands']

/**
 * Answers what Node's HTTP parser refuses, before there is a request, like everything else: with `{"error": …}`. For Fastify's
 * `clientErrorHandler`.
 */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const [status, message] = ANSWERS[error.code ?? ''] ?? NOT_HTTP
  const body = JSON.stringify({ error: message })
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}`
  if (socket.writable) socket.write(`${head}\r\nConnection: close\r\n\r\n${body}`)
  socket.destroySoon()
}
