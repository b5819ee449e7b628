import {
  getErrorCodeFromHttpStatus,
  IntegrationError,
  InvalidAuthenticationError,
  MultiStatusResponse,
  PayloadValidationError,
  RetryableError
} from '@segment/actions-core'
import type { ErrorCodes, JSONObject } from '@segment/actions-core'
import type { Outcome, Undelivered } from './outcome'

/*
 * Outcomes in the two forms that Segment takes. Each form loses something, so what is handed to Segment also carries the
 * outcomes themselves: the answer that `perform` returns, the error it throws, and the response of `performBatch` have
 * them in a property that is not enumerable, named by this symbol of the global registry. A program that runs the
 * destination gets at them by wrapping `perform` and `performBatch` (the core hands on copies of what is in a response).
 */
export const OUTCOMES = Symbol.for('emailsendx.outcomes')

/** Of a single event: the answer, or the error thrown. Segment ignores a MultiStatusResponse here. */
export function answerOrThrow(outcome: Outcome): JSONObject {
  if (outcome.kind !== 'delivered') throw withOutcomes(toError(outcome), [outcome])
  return withOutcomes(outcome.answer, [outcome])
}

/** Of a batch: one entry for each outcome, in order. Segment takes a missing entry for a 500. */
export function multiStatus(outcomes: Outcome[]): MultiStatusResponse {
  const response = new MultiStatusResponse()
  for (const outcome of outcomes) {
    if (outcome.kind === 'delivered') {
      const { status, sent, answer } = outcome
      response.pushSuccessResponse({ status, sent, body: answer })
    } else {
      const { status, message, sent, answer } = outcome
      response.pushErrorResponse({ status, errortype: toCode(outcome), errormessage: message, sent, body: answer })
    }
  }
  return withOutcomes(response, outcomes)
}

/** The outcomes of what `perform` or `performBatch` returned or threw, in the order of the events. */
export function outcomesOf(rendered: unknown): Outcome[] | undefined {
  return typeof rendered === 'object' && rendered !== null && OUTCOMES in rendered
    ? (rendered[OUTCOMES] as Outcome[])
    : undefined
}

/** The error that makes Segment treat the event as the outcome asks for. */
export function toError(outcome: Undelivered): IntegrationError | RetryableError | InvalidAuthenticationError {
  const { status, message } = outcome
  const code = toCode(outcome)
  if (code === 'RETRYABLE_ERROR') return new RetryableError(message, status as RetryableStatus)
  if (code === 'INVALID_AUTHENTICATION') return new InvalidAuthenticationError(message)
  if (code === 'PAYLOAD_VALIDATION_FAILED') return new PayloadValidationError(message)
  return new IntegrationError(message, code, status)
}

type RetryableStatus = ConstructorParameters<typeof RetryableError>[1]

/** Segment shows extra help for the codes it knows. */
function toCode(outcome: Undelivered): keyof typeof ErrorCodes {
  const { kind, status } = outcome
  if (kind === 'retry' || kind === 'unknown_effect') return 'RETRYABLE_ERROR'
  if (kind === 'unknown_contact' && outcome.waitsUntil !== undefined) return 'RETRYABLE_ERROR'
  if (kind === 'unauthorized') return 'INVALID_AUTHENTICATION'
  if (kind !== 'misconfigured' && status === 400) return 'PAYLOAD_VALIDATION_FAILED'
  return getErrorCodeFromHttpStatus(status)
}

function withOutcomes<Rendered extends object>(rendered: Rendered, outcomes: Outcome[]): Rendered {
  return Object.defineProperty(rendered, OUTCOMES, { value: outcomes, configurable: true })
}
