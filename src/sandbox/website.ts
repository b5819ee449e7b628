import type { FastifyInstance, FastifyReply, HTTPMethods } from 'fastify'
import { assumed } from './assumptions'
import { ApiError, pathOf } from './http'
import type { Workspace } from './workspace'

/** EmailSendX serves its API and its website from one origin, so what is no API route is answered with a page. */
export function sendPage(reply: FastifyReply, status: number): FastifyReply {
  const title = status === 404 ? 'This page does not exist' : 'This method is not allowed here'
  return reply.code(status).type('text/html; charset=utf-8').send(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>${status}: ${title}</title></head>
<body>
<h1>${status}</h1>
<p>${title}. This is a sandbox EmailSendX: its API is under <code>/api/v1</code>, what it holds is at
<a href="/_sandbox/state">/_sandbox/state</a>.</p>
</body>
</html>
`)
}

/** Answers unknown paths. */
export function addWebsite(app: FastifyInstance, { traffic, happenings }: Workspace): void {
  app.addHook('onRequest', async (request, reply) => {
    if (!request.is404) return
    if (pathOf(request.url).startsWith('/_sandbox'))
      throw new ApiError(404, 'No such control route: see docs/sandbox.md')
    traffic.count(UNKNOWN, assumed.unknownRoute.value)
    happenings.tell({ type: 'request', method: request.method, route: UNKNOWN, status: assumed.unknownRoute.value })
    return sendPage(reply, assumed.unknownRoute.value)
  })
}

const UNKNOWN = 'unknown path'
const METHODS: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** Notes the API's routes; the returned function then answers every other method on their paths. */
export function addWrongMethods(app: FastifyInstance): () => void {
  const known = new Map<string, string[]>()
  app.addHook('onRoute', ({ url, method }) => {
    if (url.startsWith('/api/')) known.set(url, [...(known.get(url) ?? []), method].flat())
  })
  return () => {
    for (const [url, allowed] of [...known]) {
      const answer = async (_request: unknown, reply: FastifyReply) =>
        sendPage(reply.header('Allow', allowed.join(', ')), assumed.wrongMethod.value)
      const method = METHODS.filter((method) => !allowed.includes(method))
      app.route({ method, url, onRequest: answer, handler: answer })
    }
  }
}
