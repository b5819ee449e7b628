import { ErrorCodes, IntegrationError, MultiStatusResponse } from '@segment/actions-core'
import type { JSONLikeObject } from '@segment/actions-core'
import type { Answer, CallFailed, DeliveryError } from './errors'

/** What became of one event: delivered, or the error. `sent` and `answer` are set where EmailSendX was asked. */
export type Outcome =
  | { status: number; sent: JSONLikeObject; answer: Answer }
  | { error: DeliveryError; sent?: JSONLikeObject; answer?: Answer }

/** Of a batch of one: the answer, or the error thrown. Segment ignores a MultiStatusResponse here. */
export function single([outcome]: Outcome[]): Answer {
  if ('error' in outcome) throw outcome.error
  return outcome.answer
}

/** One entry for each outcome, in order. Segment takes a missing entry for a 500. */
export function multiStatus(outcomes: Outcome[]): MultiStatusResponse {
  const response = new MultiStatusResponse()
  for (const outcome of outcomes) {
    if ('error' in outcome) {
      response.pushErrorResponse({
        status: outcome.error.status ?? 500,
        errortype: knownCode(outcome.error.code),
        errormessage: outcome.error.message,
        sent: outcome.sent,
        body: outcome.answer
      })
    } else {
      response.pushSuccessResponse({ status: outcome.status, sent: outcome.sent, body: outcome.answer })
    }
  }
  return response
}

/** The outcome of an event that can't be sent as it is. Rethrows what is no fault of the event. */
export function refused(error: unknown): { error: IntegrationError } {
  if (error instanceof IntegrationError) return { error }
  throw error
}

/** The outcome of everything that shares a failed call; `sent` only for what was in the call itself. */
export function failed({ error, answer, status }: CallFailed, sent?: JSONLikeObject): Outcome {
  return status === undefined || !sent ? { error } : { error, sent, answer }
}

/** Segment shows extra help for the codes it knows; any other is inferred from the status. */
function knownCode(code: string | undefined): keyof typeof ErrorCodes | undefined {
  return code !== undefined && code in ErrorCodes ? (code as keyof typeof ErrorCodes) : undefined
}
