import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AnswerFault } from './faults'
import { ApiError, pathOf } from './http'
import { credential, findKey, maskKey, type ApiKey, type Scope } from './keys'
import { rateHeaders } from './rate-limit'
import type { Workspace } from './workspace'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The scope a key needs for this route; absent: any valid key will do. */
    scope?: Scope
  }
  interface FastifyRequest {
    /** The valid key of an API request. */
    apiKey: ApiKey | null
    /** The fault this request met. */
    fault: AnswerFault | null
  }
}

/**
 * What every API request passes before its route (the rate window, faults, the key and its scope), and what its answer
 * passes on the way out (faults that strike after the effect, the counting).
 * @param closing ends the waiting of delayed requests when the sandbox stops
 */
export function addGate(app: FastifyInstance, workspace: Workspace, closing: AbortSignal): void {
  const { store, limiter, faults, traffic, happenings } = workspace
  app.decorateRequest('apiKey', null)
  app.decorateRequest('fault', null)

  const settle = (request: FastifyRequest, answer: number | 'dropped') => {
    const route = `${request.method} ${request.routeOptions.url}`
    traffic.count(route, answer)
    const key = request.apiKey ? maskKey(request.apiKey.key) : undefined
    happenings.tell({ type: 'request', method: request.method, route, status: answer, key, faultId: request.fault?.id })
  }

  const isHidden = ({ routeOptions }: FastifyRequest) =>
    workspace.whoami === 'missing' && routeOptions.url === '/api/v1/whoami'

  app.addHook('onRequest', async (request, reply) => {
    if (isHidden(request)) return
    const secret = credential(request.headers)
    const key = secret === undefined ? undefined : findKey(store, secret)
    const valid = key !== undefined && !key.revoked
    const allowed = valid && limiter.take(key.id)
    const window = limiter.window(valid ? key.id : undefined)
    reply.headers(rateHeaders(window))
    if (valid) request.apiKey = key

    const fault = faults.strike({ method: request.method, path: pathOf(request.url), key })
    request.fault = fault ?? null
    if (fault && !fault.applied) {
      if (!(await passes(fault.delayMs, closing)) || fault.kind === 'drop') {
        settle(request, 'dropped')
        return drop(reply)
      }
      if (fault.kind !== 'delay') return reply.send(spoil(fault, reply))
    }

    if (secret === undefined) throw new ApiError(401, 'Missing API key: send Authorization: Bearer <key> or x-api-key')
    if (key === undefined) throw new ApiError(401, 'Invalid API key')
    if (!valid) throw new ApiError(401, 'API key has been revoked')
    if (!allowed) {
      reply.header('Retry-After', String(window.retryAfter))
      throw new ApiError(429, `Rate limit exceeded. Retry after ${window.retryAfter} seconds.`)
    }
    const { scope } = request.routeOptions.config
    if (scope && !key.scopes.includes(scope)) throw new ApiError(403, `API key lacks the required scope: ${scope}`)
  })

  app.addHook('onSend', async (request, reply, payload) => {
    const fault = request.fault?.applied ? request.fault : null
    if (fault) {
      if (!(await passes(fault.delayMs, closing)) || fault.kind === 'drop') {
        settle(request, 'dropped')
        drop(reply)
        return ''
      }
      if (fault.kind !== 'delay') payload = spoil(fault, reply)
    }
    settle(request, reply.statusCode)
    return payload
  })
}

/** Waits. @returns false when the sandbox was stopped meanwhile */
async function passes(ms: number, closing: AbortSignal): Promise<boolean> {
  if (ms > 0) await pause(ms, undefined, { signal: closing }).catch(() => undefined)
  return !closing.aborted
}

/** Cuts the connection without a byte of an answer. */
function drop(reply: FastifyReply): FastifyReply {
  reply.hijack()
  reply.raw.destroy()
  return reply
}

/** Sets status and headers of a spoilt answer. @returns its body */
function spoil(fault: Extract<AnswerFault, { kind: 'status' | 'garbage' }>, reply: FastifyReply): string {
  reply.code(fault.status)
  reply.removeHeader('content-length')
  if (fault.kind === 'garbage') {
    reply.type('application/json; charset=utf-8')
    return '{"data": <<< this is not JSON'
  }
  const { body = { error: standardMessage(fault) } } = fault
  reply.type(typeof body === 'string' ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8')
  if (fault.status === 429) reply.headers({ 'Retry-After': String(RETRY_AFTER), 'X-RateLimit-Remaining': '0' })
  reply.headers(fault.headers ?? {})
  return typeof body === 'string' ? body : JSON.stringify(body)
}

/** Seconds named by an injected 429 that does not bring its own `Retry-After`. */
const RETRY_AFTER = 1

function standardMessage({ status, headers = {} }: Extract<AnswerFault, { kind: 'status' }>): string {
  if (status !== 429) return STANDARD_MESSAGES[status] ?? `Answered ${status} on request`
  const given = Object.entries(headers).find(([name]) => name.toLowerCase() === 'retry-after')
  return `Rate limit exceeded. Retry after ${given?.[1] ?? RETRY_AFTER} seconds.`
}

const STANDARD_MESSAGES: Record<number, string> = {
  400: 'Invalid request body',
  401: 'Invalid API key',
  403: 'API key lacks the required scope',
  404: 'Not found',
  500: 'Internal server error'
}
