/** What an answer of EmailSendX says about the pace. Times count from the moment of the answer. */
export interface Pace {
  /** Status of the answer. */
  status: number
  /** Requests allowed in 60 seconds. */
  limit?: number
  /** Requests left of them. */
  remaining?: number
  /** Until there are more, in ms. */
  resetMs?: number
  /** How long EmailSendX asks not to be called, in ms. */
  retryAfterMs?: number
}

/** The window has 60 seconds; who names a time further away has another clock. */
const MAX_RESET_MS = 61_000
const MAX_RETRY_AFTER_MS = 60 * 60 * 1000
const MIN_PAUSE_MS = 1_000

/**
 * Reads `X-RateLimit-*` and `Retry-After` (/docs/api/rate-limits). The reset is a time by EmailSendX's clock, so it is
 * measured against the `Date` of the same answer.
 */
export function readPace({ status, headers }: Response, now = Date.now()): Pace {
  const date = timeIn(headers.get('date'))
  const sentAt = Number.isNaN(date) ? now : date
  const reset = numberIn(headers.get('x-ratelimit-reset'))
  const retryAfter = headers.get('retry-after')
  const seconds = numberIn(retryAfter)
  const retryAfterMs = seconds === undefined ? timeIn(retryAfter) - sentAt : seconds * 1000
  return {
    status,
    limit: numberIn(headers.get('x-ratelimit-limit')),
    remaining: numberIn(headers.get('x-ratelimit-remaining')),
    resetMs: reset === undefined ? undefined : clamp(reset * 1000 - sentAt, MAX_RESET_MS),
    retryAfterMs: retryAfterMs > 0 ? clamp(retryAfterMs, MAX_RETRY_AFTER_MS) : undefined
  }
}

/** NaN when there is none. */
function timeIn(text: string | null): number {
  return Date.parse(text ?? '')
}

function numberIn(text: string | null): number | undefined {
  const number = text ? Number(text) : NaN
  return Number.isFinite(number) ? number : undefined
}

function clamp(ms: number, max: number): number {
  return Math.min(Math.max(ms, MIN_PAUSE_MS), max)
}
