import {
  APIError,
  HTTPError,
  IntegrationError,
  InvalidAuthenticationError,
  PayloadValidationError,
  RetryableError
} from '@segment/actions-core'
import type { JSONObject } from '@segment/actions-core'
import { REQUEST_TIMEOUT_MS } from './constants'

/** The error classes that tell Segment what to do next: drop the event, or send it again later. */
export type DeliveryError = IntegrationError | RetryableError | InvalidAuthenticationError

export type Answer = JSONObject | string

/** What a call needs and names, so that a refusal of it can be explained. */
export interface CallContext {
  /** Scope of the API key that the call needs (/docs/api/authentication). */
  scope?: string
  listId?: string
  /** Where the call went, as the customer set it. */
  server: string
}

/** A call to EmailSendX that did not succeed: the error to report, and the API's answer where there was one. */
export class CallFailed extends Error {
  constructor(
    readonly error: DeliveryError,
    /** Status the API answered with; undefined when it did not answer, or not in a way to be understood. */
    readonly status?: number,
    readonly answer?: Answer
  ) {
    super(error.message)
  }

  /** What the call contained or named was refused, so the next call may succeed. Any other fault will meet that one, too. */
  get isAboutContent(): boolean {
    return this.status !== undefined && [400, 404, 409, 413, 422].includes(this.status)
  }
}

/** The fault of a call as the class that Segment handles rightly, in words that say what to do. */
export function explain(cause: unknown, context: CallContext): CallFailed {
  if (cause instanceof CallFailed) return cause
  if (cause instanceof IntegrationError || cause instanceof InvalidAuthenticationError) return new CallFailed(cause)
  if (cause instanceof HTTPError) {
    const { status } = cause.response
    const answer = readAnswer(cause.response)
    return new CallFailed(explainStatus(status, wordsOf(answer), context, cause.response), status, answer)
  }
  const { code, status } = cause as { code?: string; status?: number }
  if (code === 'ETIMEDOUT') return tooSlow(context)
  if (status === 408) {
    return new CallFailed(
      new RetryableError('Segment ended the request before EmailSendX answered. The event will be sent again.', 408)
    )
  }
  return new CallFailed(
    new RetryableError(
      `EmailSendX at ${context.server} can't be reached (${code ?? 'unknown reason'}). The event will be sent again.`,
      503
    )
  )
}

/** A 2xx that is not the API's: a proxy's page, a cut-off body. Nobody knows whether the call had its effect. */
export function notTheApi(status: number, context: CallContext): CallFailed {
  return new CallFailed(
    new RetryableError(
      `${context.server} answered ${status}, but not with the JSON of EmailSendX's API. Check the API URL setting; the event will be sent again.`,
      502
    )
  )
}

/** No answer in time. */
export function tooSlow(context: CallContext): CallFailed {
  return new CallFailed(
    new RetryableError(
      `EmailSendX at ${context.server} did not answer within ${
        REQUEST_TIMEOUT_MS / 1000
      } seconds. The event will be sent again.`,
      504
    )
  )
}

function explainStatus(
  status: number,
  words: string | undefined,
  context: CallContext,
  response: Response
): DeliveryError {
  const said = words ? ` EmailSendX says: ${words}` : ''
  switch (status) {
    case 400:
    case 422:
      return context.listId && /\blist/i.test(words ?? '') && /not found|exist|unknown|invalid/i.test(words ?? '')
        ? unknownList(context.listId, said)
        : new PayloadValidationError(
            words ? `EmailSendX refused the request: ${words}` : 'EmailSendX refused the request without a reason.'
          )
    case 401:
      return new InvalidAuthenticationError(
        `EmailSendX refused the API key: it is wrong, revoked, or not allowed from this address. Paste a valid key from Settings → API.${said}`
      )
    case 403:
      return new IntegrationError(
        `The API key lacks the ${context.scope} scope. Give it that scope in EmailSendX under Settings → API, or use another key.${said}`,
        'FORBIDDEN',
        403
      )
    case 404:
      return context.listId
        ? unknownList(context.listId, said)
        : new IntegrationError(
            `EmailSendX at ${context.server} does not know what the call refers to. Check the API URL setting.${said}`,
            'NOT_FOUND',
            404
          )
    case 413:
      return new IntegrationError(`EmailSendX refused the request as too large.${said}`, 'PAYLOAD_TOO_LARGE', 413)
    case 429:
      return new RetryableError(
        `The API key's limit of requests a minute is used up. The event will be sent again.${said}`,
        429
      )
    case 501:
      return new APIError(`EmailSendX at ${context.server} does not offer this call.${said}`, 501)
  }
  if (status === 408 || status === 423 || status === 425 || status >= 500) {
    return new RetryableError(
      `EmailSendX at ${context.server} has a problem of its own (${status}). The event will be sent again.${said}`,
      retryable(status)
    )
  }
  if (status >= 300 && status < 400) {
    const target = response.headers.get('location') ?? 'another address'
    return new IntegrationError(
      `${context.server} redirects to ${target}. Put the address it redirects to in the API URL setting.`,
      'BAD_REQUEST',
      400
    )
  }
  return new APIError(`EmailSendX refused the request (${status}).${said}`, status)
}

/** The error for a list that the workspace does not have. Every contact sent to that list fails alike. */
export function unknownList(listId: string, said = ''): IntegrationError {
  return new IntegrationError(
    `The list "${listId}" does not exist in this EmailSendX workspace. Choose another in the mapping or in the Default List ID setting.${said}`,
    'NOT_FOUND',
    404
  )
}

/** The nearest status that Segment is sure to send again: it documents 408, 429, 500, 502, 503 and 504. */
function retryable(status: number): 408 | 500 | 502 | 503 | 504 {
  return status === 408 || status === 500 || status === 502 || status === 504 ? status : 503
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

export function isObject(value: unknown): value is JSONObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
