import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import escape from 'lodash/escape'
import isPlainObject from 'lodash/isPlainObject'
import { HttpError } from '../../http/errors'
import type { Body } from './body'

/** What every request meets before its route, as in the original: bodies, pages of other origins, and refusals in HTML. */
export function likeExpress(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ headers }) => {
    // What is no media type does not count. Fastify would refuse it.
    if (!MEDIA_TYPE.test(headers['content-type'] ?? '')) delete headers['content-type']
  })
  app.addHook('onRequest', async (request, reply) => {
    allowOrigin(request, reply)
    if (request.method === 'OPTIONS') return answerPreflight(request, reply)
  })
  acceptBodies(app)
  app.setErrorHandler(answerError)
  app.setNotFoundHandler(notFound)
}

const MEDIA_TYPE = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+ *(;|$)/

/** Malformed, too large, or a fault of ours: the status of the error, its message, never its stack. */
export function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error.code === 'FST_ERR_BAD_URL') return notFound(request, reply)
  const { server } = request
  const status = error.statusCode ?? 500
  const limit = server.initialConfig.bodyLimit
  return htmlError(
    reply,
    status,
    status === 413 ? `The body is larger than ${limit} bytes (--body-limit).` : error.message
  )
}

function notFound({ method, url }: FastifyRequest, reply: FastifyReply): FastifyReply {
  return htmlError(reply, 404, `Cannot ${method} ${url.split('?')[0]}`)
}

/** Express's page with one line of text. */
function htmlError(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply
    .code(status)
    .headers({ 'content-security-policy': "default-src 'none'", 'x-content-type-options': 'nosniff' })
    .type('text/html; charset=utf-8')
    .send(`<!DOCTYPE html>\n<html lang="en">\n<title>Error</title>\n<pre>${escape(text)}</pre>\n</html>\n`)
}

/** The pages that may read the answers: the allow-list of Segment's `packages/cli/src/lib/server.ts`. */
const ORIGINS = new Set([
  'https://app.segment.com',
  'https://eu1.app.segment.com',
  'https://app.segment.build',
  'https://eu1.app.segment.build',
  'http://localhost:8000'
])

/** Marks the reply for the browser: a listed origin is echoed, any other is served without the header and cannot read it. */
function allowOrigin({ headers: { origin } }: FastifyRequest, reply: FastifyReply): void {
  void reply.header('vary', 'Origin')
  if (origin && ORIGINS.has(origin)) void reply.header('access-control-allow-origin', origin)
}

/** Answers any preflight with 204. */
function answerPreflight({ headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
  const asked = headers['access-control-request-headers']
  void reply.header('access-control-allow-methods', 'GET,HEAD,PUT,PATCH,POST,DELETE')
  if (asked)
    void reply.header('vary', 'Origin, Access-Control-Request-Headers').header('access-control-allow-headers', asked)
  return reply.code(204).send()
}

/**
 * Reads JSON objects; a body of any other type counts as `{}`, as in the original. Keys such as `__proto__` stay ordinary
 * keys: what a destination does with them is one of the things to be tried here.
 */
function acceptBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async ({ headers }: FastifyRequest, bytes: Buffer) => {
      const encoding = headers['content-encoding'] ?? 'identity'
      if (encoding !== 'identity') throw new HttpError(415, `Send the body uncompressed, not as ${encoding}.`)
      const text = decoderFor(headers['content-type']).decode(bytes)
      return text === '' ? {} : parseObject(text)
    }
  )
  app.addContentTypeParser('*', async (_request: unknown, payload: NodeJS.ReadableStream) => {
    payload.resume()
    return {}
  })
}

/** Unicode in whatever form, as in the original, which refuses every other charset. */
function decoderFor(contentType = ''): TextDecoder {
  const [, charset = 'utf-8'] = /;\s*charset="?([^\s;"]+)/i.exec(contentType) ?? []
  try {
    if (/^utf-/i.test(charset)) return new TextDecoder(charset)
  } catch {
    // Not one that Node knows.
  }
  throw new HttpError(415, `unsupported charset "${charset.toUpperCase()}": send UTF-8`)
}

function parseObject(text: string): Body {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw new HttpError(400, `The body is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (!isPlainObject(parsed)) throw new HttpError(400, 'The body must be a JSON object.')
  return parsed as Body
}
