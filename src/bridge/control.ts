import type { FastifyInstance } from 'fastify'
import { hostnameOf, isLoopback } from '../http/loopback'
import type { Queue } from './queue'

/** A page of dead letters, as many as a person looks at. */
const PAGE = 100

/**
 * What the tester page asks the bridge, for people on this machine alone: connections from elsewhere, other `Host` names and
 * pages of other origins get 403.
 */
export function controlRoutes(app: FastifyInstance, queue: Pick<Queue, 'partitions' | 'deadLetters'>): void {
  app.addHook('onRequest', async (request, reply) => {
    const { host, origin } = request.headers
    const isLocal = [
      request.socket.remoteAddress,
      hostnameOf(host),
      origin === undefined ? 'localhost' : hostnameOf(origin)
    ]
    if (isLocal.every(isLoopback)) return
    return reply.code(403).send({ error: 'only for this machine' })
  })

  app.get('/partitions', async () => ({ partitions: await queue.partitions.list() }))

  app.get('/dead-letters', async () => ({ deadLetters: await queue.deadLetters.list({}, { limit: PAGE }) }))

  app.post<{ Params: { id: string } }>('/dead-letters/:id/retry', async ({ params }, reply) => {
    const id = Number(params.id)
    if (!Number.isSafeInteger(id)) return reply.code(404).send({ error: 'no such dead letter' })
    const { retried, kept } = await queue.deadLetters.retry({ ids: [id] })
    if (retried > 0) return { retried }
    const error = kept > 0 ? 'not an event, so it cannot be delivered' : 'no such dead letter'
    return reply.code(kept > 0 ? 409 : 404).send({ error })
  })
}
