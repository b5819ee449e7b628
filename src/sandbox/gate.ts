import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { AnswerFault } from './faults'
import { ApiError, pathOf } from './http'
import { credential, findKey, type ApiKey, type Scope } from './keys'
import { rateHeaders } from './rate-limit'
import { strikeEarly, strikeLate } from './strikes'
import { sendPage } from './website'
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
    visit: Visit | null
  }
}

/** What is known of an API request before its route runs. */
interface Visit {
  /** The key, when it is valid. */
  key?: ApiKey
  /** The fault that strikes this request. */
  fault?: AnswerFault
  /** Why the request is not let in. */
  refusal?: ApiError
}

/**
 * What every API request passes before its route: the rate window, faults, the key and its scope. And what its answer
 * passes on the way out: faults that strike after the effect, and the counting.
 * @param closing ends the waiting of delayed requests when the sandbox stops
 */
export function addGate(app: FastifyInstance, workspace: Workspace, closing: AbortSignal): void {
  const { store, limiter, faults } = workspace
  app.decorateRequest('visit', null)

  app.addHook('onRequest', async (request, reply) => {
    const { method, url, headers, routeOptions } = request
    const { scope, exists, counts } = routeOptions.config
    if (exists?.() === false) return sendPage(reply, 404)
    const secret = credential(headers)
    const named = secret === undefined ? undefined : findKey(store, secret)
    const key = named?.revoked ? undefined : named
    const fault = faults.strike({ method, path: pathOf(url), key: named })
    const refusedByFault = fault?.kind === 'status' && fault.status === 429
    const isFree = refusedByFault || counts?.() === false
    const fits = key !== undefined && (isFree || limiter.take(key.id))
    const window = limiter.window(key?.id)
    reply.headers(rateHeaders(window))

    const refusal = refuse({
      secret,
      named,
      retryAfter: fits ? 0 : window.retryAfter,
      scope
    })
    request.visit = { key, fault, refusal }
  })

  app.addHook('onRequest', async (request, reply) => {
    const { fault, refusal } = request.visit ?? {}
    if (fault && !fault.applied) {
      const struck = await strikeEarly(fault, reply, closing)
      if (struck === 'dropped') settle(workspace, request, 'dropped')
      if (struck) return reply
    }
    if (refusal) throw refusal
  })

  app.addHook('onSend', async (request, reply, payload) => {
    const fault = request.visit?.fault
    const sent = fault?.applied ? await strikeLate(fault, reply, payload, closing) : payload
    settle(workspace, request, reply.raw.destroyed ? 'dropped' : reply.statusCode)
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

function refuse({ secret, named, retryAfter, scope }: Credentials): ApiError | undefined {
  if (secret === undefined) return new ApiError(401, 'Missing API key: send Authorization: Bearer <key> or x-api-key')
  if (!named) return new ApiError(401, 'Invalid API key')
  if (named.revoked) return new ApiError(401, 'API key has been revoked')
  if (retryAfter > 0) {
    const message = `Rate limit exceeded. Retry after ${retryAfter} seconds.`
    return new ApiError(429, message, { 'Retry-After': String(retryAfter) })
  }
  if (scope && !named.scopes.includes(scope)) return new ApiError(403, `API key lacks the required scope: ${scope}`)
  return undefined
}

function settle({ traffic }: Workspace, request: FastifyRequest, status: number | 'dropped'): void {
  const { method, url, routeOptions, visit } = request
  traffic.note({ route: `${method} ${routeOptions.url}`, url, status, key: visit?.key, faultId: visit?.fault?.id })
}
