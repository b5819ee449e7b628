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
