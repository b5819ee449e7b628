import type { FastifyInstance, FastifyRequest } from 'fastify'
import isPlainObject from 'lodash/isPlainObject'
import type { Body } from './body'

/** A refusal with its HTTP status, as Fastify reads it from an error. */
class Refusal extends Error {
  constructor(readonly statusCode: number, message: string) {
    super(message)
  }
}

/**
 * Reads JSON objects; a body of any other type counts as `{}`, as in the original. Keys such as `__proto__` stay ordinary
 * keys: what a destination does with them is one of the things to be tried here.
 */
export function acceptBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, async (request: FastifyRequest, text: string) => {
    const encoding = request.headers['content-encoding'] ?? 'identity'
    if (encoding !== 'identity') throw new Refusal(415, `Send the body uncompressed, not as ${encoding}.`)
    return text === '' ? {} : parseObject(text)
  })
  app.addContentTypeParser('*', async (_request: unknown, payload: NodeJS.ReadableStream) => {
    payload.resume()
    return {}
  })
}

function parseObject(text: string): Body {
  let parsed: unknown
  try {
    parsed = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    throw new Refusal(400, `The body is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (!isPlainObject(parsed)) throw new Refusal(400, 'The body must be a JSON object.')
  return parsed as Body
}
