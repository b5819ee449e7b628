import { ErrorCodes, getErrorCodeFromHttpStatus } from '@segment/actions-core'
import type { ModifiedResponse } from '@segment/actions-core'
import type { Outcome } from '../../../definitions/emailsendx/outcome'

/** How Segment's local server reports a failed action: same keys, same order. */
export interface ErrorOutput {
  statusCode: number
  message?: unknown
  stack?: string[]
  fields?: Record<string, string>
  requestError: true
}

/** What became of one event, as Segment's platform would report it: core's row of a batch, and `fields` for a schema error. */
export interface EventStatus {
  status: number
  errortype?: string
  errormessage?: string
  errorreporter?: string
  fields?: Record<string, string>
  sent?: unknown
  body?: unknown
  /** What it means, where the destination says so. */
  outcome?: Meaning
}

/** What a client acts on: the outcome without what the row or the exchanges have already. `sent` is what EmailSendX was sent. */
export type Meaning = Pick<Outcome, 'kind' | 'message' | 'sent'> & { waitsUntil?: number; retryAfterMs?: number }

/** A body that cannot be what the route asks for. */
export class BadCall extends Error {
  readonly status = 400
  readonly code = ErrorCodes.PAYLOAD_VALIDATION_FAILED
}

/** What is known of an error. */
export interface ErrorFacts {
  /** What the original calls `statusCode`: 500 for a schema error, because only the platform marks those as 400. */
  status: number
  /** What Segment's platform decides by: a schema error is 400. */
  platformStatus: number
  code: string
  /** The API's own answer where there was one (parsed JSON or text), else the error's words. */
  message: unknown
  /** Messages by field for schema errors; `$` is the whole payload or settings. */
  fields?: Record<string, string>
  /** The schema error as it serialises itself: `[{path, pointer, message}]`. */
  schemaErrors?: unknown
  fromApi: boolean
  stack?: string
}

/** Reads whatever was thrown, an Error or not, into what the routes report. */
export function errorFacts(thrown: unknown): ErrorFacts {
  const error = (thrown ?? {}) as {
    name?: string
    message?: unknown
    status?: number
    code?: string | number
    stack?: string
    response?: ModifiedResponse
  }
  // By name, not by class: a definition has its own copy of actions-core.
  const response = error.name === 'HTTPError' ? error.response : undefined
  const fields = isSchemaError(thrown)
    ? Object.fromEntries([...thrown].map(({ path, message }) => [path.replace('$.', ''), message]))
    : undefined
  const status = response?.status ?? error.status ?? 500
  const platformStatus = fields ? 400 : status
  return {
    status,
    platformStatus,
    code: fields
      ? ErrorCodes.PAYLOAD_VALIDATION_FAILED
      : error.code === undefined
      ? getErrorCodeFromHttpStatus(platformStatus)
      : String(error.code),
    message: response?.data ?? response?.content ?? error.message ?? String(thrown),
    fields,
    schemaErrors: fields && thrown,
    fromApi: response !== undefined,
    stack: error.stack
  }
}

/** The error as clients of Segment's local server read it. Stack lines are shown relative to the working directory. */
export function errorOutput({ status, message, stack, fields }: ErrorFacts): ErrorOutput {
  const lines = stack?.replaceAll(`${process.cwd()}/`, '').split('\n')
  return { statusCode: status, message, stack: lines, fields, requestError: true }
}

/** The error as what became of one event, in the words of core's batch results. */
export function errorStatus({ platformStatus, code, fields, fromApi, ...facts }: ErrorFacts): EventStatus {
  return {
    status: platformStatus,
    errortype: code,
    errormessage: errorText(facts),
    errorreporter: fromApi ? 'DESTINATION' : 'INTEGRATIONS',
    fields
  }
}

/** The message as one text, also where the API answered an object. */
export function errorText({ message }: { message: unknown }): string {
  return typeof message === 'string' ? message : JSON.stringify(message)
}

function isSchemaError(error: unknown): error is Iterable<{ path: string; message: string }> {
  return error instanceof Error && error.name === 'AggregateAjvError'
}
