import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyReply } from 'fastify'
import type { AnswerFault } from './faults'

/**
 * Injects a fault before the request is carried out.
 * @returns `answered` or `dropped` when the request ends here; undefined when it was only delayed and goes on
 */
export async function injectBefore(
  fault: AnswerFault,
  reply: FastifyReply,
  closing: AbortSignal
): Promise<'answered' | 'dropped' | undefined> {
  if (!(await waited(fault.delayMs, closing)) || fault.kind === 'drop') {
    drop(reply)
    return 'dropped'
  }
  if (fault.kind === 'delay') return undefined
  reply.send(faultyAnswer(fault, reply))
  return 'answered'
}

/** Injects a fault when the request has had its effect. @returns the body to send instead of `payload` */
export async function injectAfter(
  fault: AnswerFault,
  reply: FastifyReply,
  payload: unknown,
  closing: AbortSignal
): Promise<unknown> {
  if (!(await waited(fault.delayMs, closing)) || fault.kind === 'drop') {
    drop(reply)
    return ''
  }
  return fault.kind === 'delay' ? payload : faultyAnswer(fault, reply)
}

/** @returns false when the sandbox was stopped meanwhile */
async function waited(ms: number, closing: AbortSignal): Promise<boolean> {
  if (ms > 0) await wait(ms, undefined, { signal: closing }).catch(() => undefined)
  return !closing.aborted
}

/** Cuts the connection without a byte of an answer. */
function drop(reply: FastifyReply): void {
  reply.hijack()
  reply.raw.destroy()
}

/** Sets status and headers. @returns the body */
function faultyAnswer(fault: Extract<AnswerFault, { kind: 'status' | 'garbage' }>, reply: FastifyReply): string {
  reply.code(fault.status).removeHeader('content-length')
  if (fault.kind === 'garbage') {
    reply.type('application/json; charset=utf-8')
    return '{"data": <<< this is not JSON'
  }
  const { status, headers } = fault
  const retryAfter = Object.entries(headers).find(([name]) => name.toLowerCase() === 'retry-after')?.[1] ?? '1'
  if (status === 429) reply.headers({ 'Retry-After': retryAfter, 'X-RateLimit-Remaining': '0' })
  const { body = { error: messageOf(status, retryAfter) } } = fault
  reply.type(typeof body === 'string' ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8').headers(headers)
  return typeof body === 'string' ? body : JSON.stringify(body)
}

function messageOf(status: number, retryAfter: string): string {
  if (status === 429) return `Rate limit exceeded. Retry after ${retryAfter} seconds.`
  return MESSAGES[status] ?? `Answered ${status} by a fault of the sandbox`
}

const MESSAGES: Record<number, string> = {
  400: 'Invalid request body',
  401: 'Invalid API key',
  403: 'API key lacks the required scope',
  404: 'Not found',
  500: 'Internal server error'
}
