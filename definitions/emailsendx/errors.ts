import { IntegrationError } from '@segment/actions-core'
import type { JSONLikeObject, JSONObject } from '@segment/actions-core'
import { REQUEST_TIMEOUT_MS } from './constants'
import { AGAIN, invalid, retry, unknownList, unusableUrl } from './outcome'
import type { Answer, Undelivered } from './outcome'
import { readPace } from './pace'

/*
 * What failures mean. Errors of actions-core are told by their shape and never by `instanceof`: Segment's CLI loads
 * destinations with a second copy of it, so that an error thrown by the one is no instance of the other's classes.
 */

/** What a call needs and names, so that a refusal of it can be explained. */
export interface CallContext {
  /** Where the call went, as the customer set it. */
  server: string
  /** Scope of the API key that the call needs (/docs/api/authentication). */
  scope?: string
  listId?: string
  /** The call is about a contact by its id. */
  isAboutContact?: boolean
  /** The call fires an event. */
  fires?: boolean
}

/** Carries an outcome from where an event fails to where its outcome is reported. */
export class NotDelivered extends IntegrationError {
  constructor(
    readonly outcome: Undelivered,
    /** Status that EmailSendX answered with; undefined when it did not answer, or not in a way to be understood. */
    readonly answered?: number
  ) {
    super(outcome.message, outcome.kind, outcome.status)
  }
}

export function isNotDelivered(error: unknown): error is NotDelivered {
  return isObject(error) && 'outcome' in error
}

/** The outcome of an event whose delivery threw before anything of it was sent. */
export function outcomeOfError(error: unknown): Undelivered {
  if (isNotDelivered(error)) return error.outcome
  const { name, message, status } = error as Error & { status?: number }
  if (status === 401) return { kind: 'unauthorized', status, message }
  if (status !== undefined) return isRetried(status) ? retry(message, nearestRetried(status)) : invalid(message, status)
  return invalid(`The event can't be processed (${name}: ${message.split('\n')[0]}). Please report this to EmailSendX.`)
}

/** The fault of a call in words that say what to do, and with it what becomes of the event. */
export function explain(cause: unknown, context: CallContext): NotDelivered {
  if (isNotDelivered(cause)) return cause
  const { code, status, response } = cause as { code?: string; status?: number; response?: Response }
  if (response) return explainAnswer(response, context)
  if (code === 'ETIMEDOUT') return tooSlow(context)
  if (status === 408) {
    return unanswered(`Segment ended the request before EmailSendX answered. ${AGAIN}`, 408, context)
  }
  if (status !== undefined) return new NotDelivered(outcomeOfError(cause))
  const words = `EmailSendX at ${context.server} can't be reached (${code ?? 'unknown reason'}). ${AGAIN}`
  return NEVER_SENT.test(code ?? '') ? new NotDelivered(retry(words, 503)) : unanswered(words, 503, context)
}

/** Codes of faults before a request is on its way: no name, no connection, no trust in the certificate. */
const NEVER_SENT = /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EPROTO)$|CERT|SIGNATURE/

/** A 2xx that is not the API's: a proxy's page, a cut-off body. Nobody knows whether the call had its effect. */
export function notTheApi(status: number, context: CallContext): NotDelivered {
  return unanswered(
    `${context.server} answered ${status}, but not with the JSON of EmailSendX's API. Check the API URL setting. ${AGAIN}`,
    502,
    context
  )
}

/** No answer in time. */
export function tooSlow(context: CallContext): NotDelivered {
  return unanswered(
    `EmailSendX at ${context.server} did not answer within ${REQUEST_TIMEOUT_MS / 1000} seconds. ${AGAIN}`,
    504,
    context
  )
}

/** The call went out, and whether it had its effect is not known. Only with an event this matters: upserts can be repeated. */
function unanswered(message: string, status: number, context: CallContext): NotDelivered {
  return new NotDelivered(context.fires ? { kind: 'unknown_effect', status, message } : retry(message, status))
}

function explainAnswer(response: Response, context: CallContext): NotDelivered {
  const answer = readAnswer(response)
  return new NotDelivered({ ...explainStatus(response, wordsOf(answer), context), answer }, response.status)
}

/** Success bodies have no `error` (/docs/api/errors). */
export function isRefusal(body: JSONObject): boolean {
  return Boolean(body.error) || body.success === false
}

/** A 2xx that says that it is none. */
export function refusedIn(body: JSONObject, context: CallContext): NotDelivered {
  return new NotDelivered({ ...explainRefusal(wordsOf(body), context), answer: body }, 400)
}

function explainRefusal(words: string | undefined, context: CallContext): Undelivered {
  if (context.isAboutContact && saysNoContact(words)) return noSuchContact()
  if (context.listId && saysNoList(words)) return unknownList(context.listId, saidBy(words))
  return invalid(
    words ? `EmailSendX refused the request: ${words}` : 'EmailSendX refused the request without a reason.'
  )
}

function saysNoContact(words = ''): boolean {
  return /^not found/i.test(words) || (/\b(contact|user)/i.test(words) && /not found|exist|unknown|\bno\b/i.test(words))
}

function saysNoList(words = ''): boolean {
  return /\blist/i.test(words) && /not found|exist|unknown|invalid/i.test(words)
}

function noSuchContact(): Undelivered {
  return { kind: 'unknown_contact', status: 404, message: 'EmailSendX has no such contact.' }
}

function saidBy(words: string | undefined): string {
  return words ? ` EmailSendX says: ${words}` : ''
}

function explainStatus(response: Response, words: string | undefined, context: CallContext): Undelivered {
  const { status } = response
  const said = saidBy(words)
  switch (status) {
    case 400:
    case 422:
      return explainRefusal(words, context)
    case 401:
      return {
        kind: 'unauthorized',
        status,
        message: `EmailSendX refused the API key: it is wrong, revoked, or not allowed from this address. Paste a valid key from Settings → API.${said}`
      }
    case 403:
      return {
        kind: 'forbidden',
        status,
        message: `The API key lacks ${
          context.scope ? `the ${context.scope}` : 'a'
        } scope. Give it that scope in EmailSendX under Settings → API, or use another key.${said}`
      }
    case 404:
      if (context.isAboutContact) return noSuchContact()
      return context.listId
        ? unknownList(context.listId, said)
        : unusableUrl(
            `EmailSendX at ${context.server} does not know what the call refers to. Check the API URL setting.${said}`,
            404
          )
    case 413:
      return invalid(`EmailSendX refused the request as too large.${said}`, 413)
    case 429: {
      const { retryAfterMs, resetMs } = readPace(response)
      const message = `The API key's limit of requests a minute is used up. ${AGAIN}${said}`
      return retry(message, 429, retryAfterMs ?? resetMs)
    }
    case 501:
      return invalid(`EmailSendX at ${context.server} does not offer this call.${said}`, 501)
  }
  const problem = `EmailSendX at ${context.server} has a problem of its own (${status}). ${AGAIN}${said}`
  if (status >= 500) return unanswered(problem, nearestRetried(status), context).outcome
  if (isRetried(status)) return retry(problem, nearestRetried(status))
  if (status < 400) {
    const target = response.headers.get('location') ?? 'another address'
    return unusableUrl(
      `${context.server} redirects to ${target}. Put the address it redirects to in the API URL setting.`
    )
  }
  return invalid(`EmailSendX refused the request (${status}).${said}`, status)
}

/** Of what may pass by itself. A 501 never does; a 409 is most likely two upserts of one contact at once. */
function isRetried(status: number): boolean {
  return [408, 409, 423, 425, 429].includes(status) || (status >= 500 && status !== 501)
}

/** The nearest status that Segment is sure to send again: it documents 408, 429, 500, 502, 503 and 504. */
function nearestRetried(status: number): number {
  return status === 408 || status === 429 || status === 500 || status === 502 || status === 504 ? status : 503
}

/** The API's answer, parsed where it is JSON; a page of HTML is cut to what fits in a report. */
function readAnswer(response: Response & { content?: string }): Answer {
  const text = response.content ?? ''
  try {
    const answer: unknown = JSON.parse(text)
    if (isObject(answer)) return answer
  } catch {
    // Not JSON. An error page of a proxy in between, say.
  }
  return text.slice(0, 500)
}

/** The explanation in an error body: documented as a string in `error`; the vendor's client also reads the other two places. */
function wordsOf(answer: Answer): string | undefined {
  if (typeof answer === 'string') return undefined
  const { error, message } = answer
  const words = [error, message, isObject(error) ? error.message : undefined]
  return words.find((word): word is string => typeof word === 'string' && word.trim() !== '')
}

/** The result of the work, or the outcome of what it threw. */
export async function attempt<Result>(work: () => Result | Promise<Result>): Promise<Result | Undelivered> {
  try {
    return await work()
  } catch (error) {
    return outcomeOfError(error)
  }
}

/** With what was sent, when EmailSendX answered to it. */
export function withSent(outcome: Undelivered, sent: JSONLikeObject): Undelivered {
  return outcome.answer === undefined ? outcome : { ...outcome, sent }
}

export function isUndelivered(result: unknown): result is Undelivered {
  return isObject(result) && 'kind' in result && 'message' in result
}

export function isObject(value: unknown): value is JSONObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
