import type { FastifyInstance, FastifyRequest } from 'fastify'
import { assumed } from './assumptions'
import { ApiError } from './http'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Bodies are JSON in UTF-8 or refused. Keys such as `__proto__` stay plain data. */
export function addBodyParser(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_: FastifyRequest, bytes: Buffer) =>
    parseJson(bytes)
  )
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async (_: FastifyRequest, bytes: Buffer) => {
    if (bytes.length) throw new ApiError(assumed.malformed.value, 'Content-Type must be application/json')
  })
}

function parseJson(bytes: Buffer): unknown {
  if (!bytes.length) return undefined
  let body: unknown
  try {
    body = JSON.parse(utf8.decode(bytes))
  } catch {
    throw new ApiError(assumed.malformed.value, 'Request body is not valid JSON')
  }
  if (deeperThan(assumed.depthMaximum.value, body)) {
    throw new ApiError(400, `Request body is nested more than ${assumed.depthMaximum.value} levels deep`)
  }
  return body
}

function deeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((child) => deeperThan(levels - 1, child))
}
