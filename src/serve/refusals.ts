import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import escape from 'lodash/escape'

/** Answers for a request that never reached a route: Express's page with one line of text. */
export function htmlError(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply
    .code(status)
    .headers({ 'content-security-policy': "default-src 'none'", 'x-content-type-options': 'nosniff' })
    .type('text/html; charset=utf-8')
    .send(`<!DOCTYPE html>\n<html lang="en">\n<title>Error</title>\n<pre>${escape(text)}</pre>\n</html>\n`)
}

/** Malformed, too large, or a fault of ours: the status of the error, its message, never its stack. */
export function answerError(error: FastifyError, { server }: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = error.statusCode ?? 500
  const limit = server.initialConfig.bodyLimit
  return htmlError(
    reply,
    status,
    status === 413 ? `The body is larger than ${limit} bytes (--body-limit).` : error.message
  )
}
