import type { FastifyInstance, FastifyRequest } from 'fastify'
import { HttpError } from '../http/errors'
import { sendPage } from './fallback'
import type { AnswerFault } from './faults/faults'
import { injectAfter, injectBefore } from './faults/inject'
import { rateHeaders } from './rate-limit'
import { pathOf } from './request'
import { credential, findKey, type ApiKey, type Scope } from './resources/keys'
import type { Workspace } from './workspace'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The scope a key needs for this route; absent: any valid key will do. */
    scope?: Scope
    /** Whether this server has the route; absent: it has. */
    exists?: () => boolean
    /** Whether a call counts against the rate window; absent: it does. */
    counts?: () => boolean
  }
  interface FastifyRequest {
    /** Null on routes that are not the API's. */
    api: RequestContext | null
  }
}

/** What is known of an API request before its route runs. */
interface RequestContext {
  /** The key, when it is valid. */
  key?: ApiKey
  /** The fault that this request meets. */
  fault?: AnswerFault
  /** Why the request is not let in. */
  refusal?: HttpError
}

/**
 * What every API request passes before its route: the rate window, faults, the key and its scope. And what its answer
 * passes on the way out: faults that come after the effect, and the counting.
 * @param closing ends the waiting of delayed requests when the sandbox stops
 */
export function addAuth(app: FastifyInstance, workspace: Workspace, closing: AbortSignal): void {
  const { store, limiter, faults, now } = workspace
  app.decorateRequest('api', null)

  app.addHook('onRequest', async (request, reply) => {
    const { method, url, headers, routeOptions } = request
    const { scope, exists, counts } = routeOptions.config
    if (exists?.() === false) return sendPage(reply, 404)
    const secret = credential(headers)
    const named = secret === undefined ? undefined : findKey(store, secret)
    const key = named?.revoked ? undefined : named
    const fault = faults.take({ method, path: pathOf(url), key: named })
    const isRefusedByFault = fault?.kind === 'status' && fault.status === 429
    const isFree = isRefusedByFault || counts?.() === false
    const fits = key !== undefined && (isFree || limiter.take(key.id))
    const window = limiter.window(key?.id)
    // Clients measure the reset against the date of the same answer.
    reply.headers({ ...rateHeaders(window), date: new Date(now()).toUTCString() })
    request.api = { key, fault, refusal: refuse({ secret, named, retryAfter: fits ? 0 : window.retryAfter, scope }) }
  })

  app.addHook('onRequest', async (request, reply) => {
    const { fault, refusal } = request.api ?? {}
    if (fault && !fault.applied) {
      const ended = await injectBefore(fault, reply, closing)
      if (ended === 'dropped') log(workspace, request, 'dropped')
      if (ended) return reply
    }
    if (refusal) throw refusal
  })

  app.addHook('onSend', async (request, reply, payload) => {
    const fault = request.api?.fault
    const sent = fault?.applied ? await injectAfter(fault, reply, payload, closing) : payload
    log(workspace, request, reply.raw.destroyed ? 'dropped' : reply.statusCode)
    return sent
  })
}

interface Credentials {
  /** What the request brought as its key. */
  secret?: string
  /** The key with that secret. */
  named?: ApiKey
  /** Seconds until the key's window has room; 0 when it has. */
  retryAfter: number
  scope?: Scope
}

function refuse({ secret, named, retryAfter, scope }: Credentials): HttpError | undefined {
  if (secret === undefined) return new HttpError(401, 'Missing API key: send Authorization: Bearer <key> or x-api-key')
  if (!named) return new HttpError(401, 'Invalid API key')
  if (named.revoked) return new HttpError(401, 'API key has been revoked')
  if (retryAfter > 0) {
    const message = `Rate limit exceeded. Retry after ${retryAfter} seconds.`
    return new HttpError(429, message, { 'Retry-After': String(retryAfter) })
  }
  if (scope && !named.scopes.includes(scope)) return new HttpError(403, `API key lacks the required scope: ${scope}`)
  return undefined
}

function log({ requests }: Workspace, request: FastifyRequest, status: number | 'dropped'): void {
  const { method, url, routeOptions, api } = request
  requests.add({ route: `${method} ${routeOptions.url}`, url, status, key: api?.key, faultId: api?.fault?.id })
}
