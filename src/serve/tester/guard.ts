import type { FastifyReply, FastifyRequest } from 'fastify'
import { isLoopback } from '../../http/loopback'

/** Lets only the page itself in: a request that another site's page makes carries that site's `Origin`. */
export async function refuseForeignOrigin({ headers, method }: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const { origin, host } = headers
  const reads = method === 'GET' || method === 'HEAD'
  const isOwn = origin === undefined ? reads : [`http://${host}`, `https://${host}`].includes(origin)
  if (isOwn) return
  return reply.code(403).send({ error: 'Only the tester page of this server may ask for this.' })
}

/** For what acts on the sandbox and the bridge: both take orders from this machine alone, and so does this server. */
export async function refuseOtherMachines({ socket }: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  if (isLoopback(socket.remoteAddress ?? '127.0.0.1')) return
  return reply.code(403).send({ error: 'Only a browser on the machine of the server may ask for this.' })
}
