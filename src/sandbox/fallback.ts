import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { assumed } from './assumptions'
import { METHODS, notFound, pathOf } from './request'
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

/** The 404 fallback: answers paths that do not exist. */
export function answerUnknownPaths(app: FastifyInstance, { requests }: Workspace): void {
  app.addHook('onRequest', async ({ is404, url }, reply) => {
    if (!is404) return
    if (pathOf(url).startsWith('/_sandbox')) throw notFound('No such control route: see docs/sandbox.md')
    const status = assumed.unknownRoute.value
    requests.add({ route: 'unknown path', url, status })
    return sendPage(reply, status)
  })
}

/** Collects the API's routes; the returned function then answers every other method on their paths. */
export function collectMethods(app: FastifyInstance, { requests }: Workspace): () => void {
  const known = new Map<string, string[]>()
  app.addHook('onRoute', ({ url, method }) => {
    if (url.startsWith('/api/')) known.set(url, [...(known.get(url) ?? []), method].flat())
  })
  return () => {
    for (const [pattern, allowed] of [...known]) {
      const answer = async ({ method, url }: FastifyRequest, reply: FastifyReply) => {
        const status = assumed.wrongMethod.value
        requests.add({ route: `${method} ${pattern}`, url, status })
        return sendPage(reply.header('Allow', allowed.join(', ')), status)
      }
      const method = METHODS.filter((method) => !allowed.includes(method))
      app.route({ method, url: pattern, onRequest: answer, handler: answer })
    }
  }
}
