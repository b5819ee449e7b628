import type { FastifyRequest } from 'fastify'
import { HttpError } from './errors'
import { hostnameOf, isLoopback } from './loopback'

/**
 * Fastify `onRequest` hooks that keep a server on this machine to this machine. Each throws an HttpError 403.
 */

/**
 * Refuses requests that name another host than this machine, or one of `hosts`. That is how a web page reaches a local server
 * after DNS rebinding.
 * @param remedy what whoever runs the server can do, such as `start it with --host`
 */
export function localHostOnly(remedy: string, hosts: ReadonlySet<string> = new Set()) {
  return async ({ headers }: FastifyRequest): Promise<void> => {
    const host = hostnameOf(headers.host)
    if (isLoopback(host) || (host !== undefined && hosts.has(host))) return
    throw new HttpError(403, `This server does not answer to this host name: ${remedy}`)
  }
}

/** Refuses connections from other machines. */
export async function thisMachineOnly({ socket }: FastifyRequest): Promise<void> {
  if (!isLoopback(socket.remoteAddress)) throw new HttpError(403, 'Only for this machine')
}

/** Refuses what pages of other machines ask for. A request without an `Origin` is no page's, or only reads its own site. */
export async function localPagesOnly({ headers: { origin } }: FastifyRequest): Promise<void> {
  if (origin !== undefined && !isLoopback(hostnameOf(origin)))
    throw new HttpError(403, 'Only for pages of this machine')
}

/** Lets only pages of this very server act, and read: a request that another site's page makes carries that site's `Origin`. */
export async function ownPagesOnly({ headers: { origin, host }, method }: FastifyRequest): Promise<void> {
  const reads = method === 'GET' || method === 'HEAD'
  const isOwn = origin === undefined ? reads : [`http://${host}`, `https://${host}`].includes(origin)
  if (!isOwn) throw new HttpError(403, 'Only the page of this server may ask for this')
}
