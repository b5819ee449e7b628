import type { FastifyReply, FastifyRequest } from 'fastify'

/** The pages that may read the answers: the allow-list of Segment's `packages/cli/src/lib/server.ts`. */
const ORIGINS = new Set([
  'https://app.segment.com',
  'https://eu1.app.segment.com',
  'https://app.segment.build',
  'https://eu1.app.segment.build',
  'http://localhost:8000'
])

/** Marks the reply for the browser: a listed origin is echoed, any other is served without the header and cannot read it. */
export function allowOrigin({ headers: { origin } }: FastifyRequest, reply: FastifyReply): void {
  void reply.header('vary', 'Origin')
  if (origin && ORIGINS.has(origin)) void reply.header('access-control-allow-origin', origin)
}

/** Answers any preflight with 204. */
export function answerPreflight({ headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
  const asked = headers['access-control-request-headers']
  void reply.header('access-control-allow-methods', 'GET,HEAD,PUT,PATCH,POST,DELETE')
  if (asked)
    void reply.header('vary', 'Origin, Access-Control-Request-Headers').header('access-control-allow-headers', asked)
  return reply.code(204).send()
}
