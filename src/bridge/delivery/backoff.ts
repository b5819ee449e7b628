/** What an answer of EmailSendX says about the pace. */
export interface PaceWords {
  status: number
  /** Calls left in the window of the last 60 seconds. */
  remaining?: number
  /** Until there are more, in ms. */
  resetMs?: number
  /** How long it asks not to be called, in ms. */
  retryAfterMs?: number
}

/** A track takes up to two calls: to find the contact, and to fire the event. */
const CALLS_IN_RESERVE = 2

const WINDOW_MS = 60_000
/** Whoever names a time further away has another clock. */
const MAX_RESET_MS = 61_000
const MAX_RETRY_AFTER_MS = 60 * 60 * 1000
const MIN_PAUSE_MS = 1_000
/** After a refusal that does not say for how long. */
const REFUSED_PAUSE_MS = 30_000

const FIRST_BACK_OFF_MS = 1_000
const MAX_BACK_OFF_MS = 60_000
const MAX_SUSPENDED_MS = 60 * 60 * 1000

/**
 * Reads `X-RateLimit-*` and `Retry-After` (documented on /docs/api/rate-limits). The reset is a time by EmailSendX's clock,
 * so it is measured against the `Date` of the same answer.
 * @param now ms since 1970, for an answer without a date
 */
export function readPace(status: number, headers: { get(name: string): string | null }, now: number): PaceWords {
  const date = Date.parse(headers.get('date') ?? '')
  const reset = numberIn(headers.get('x-ratelimit-reset'))
  const retryAfter = headers.get('retry-after')
  const seconds = numberIn(retryAfter)
  const untilDate = Date.parse(retryAfter ?? '') - (Number.isNaN(date) ? now : date)
  const retryAfterMs = seconds === undefined ? untilDate : seconds * 1000
  return {
    status,
    remaining: numberIn(headers.get('x-ratelimit-remaining')),
    resetMs: reset === undefined ? undefined : clamp(reset * 1000 - (Number.isNaN(date) ? now : date), MAX_RESET_MS),
    retryAfterMs: retryAfterMs > 0 ? clamp(retryAfterMs, MAX_RETRY_AFTER_MS) : undefined
  }
}

/**
 * How long to leave EmailSendX alone after these answers, in ms: so that no call is made that would be refused.
 * @param ages how long ago the calls of the last window were answered, in ms, oldest first. The reset is when one place is
 *   free again; where two are needed, the second call tells when.
 */
export function pauseAfter(answers: PaceWords[], ages: number[] = []): number {
  const refused = answers.find(({ status }) => status === 429)
  if (refused) return refused.retryAfterMs ?? refused.resetMs ?? REFUSED_PAUSE_MS
  const last = answers[answers.length - 1]
  if (last?.remaining === undefined || last.remaining >= CALLS_IN_RESERVE) return last?.retryAfterMs ?? 0
  const age = ages[CALLS_IN_RESERVE - last.remaining - 1] ?? WINDOW_MS
  return Math.min(MAX_RESET_MS, Math.max(last.resetMs ?? MAX_RESET_MS, WINDOW_MS - age))
}

/** Exponential back-off with full jitter after so many failures in a row, in ms. */
export function backOff(failures: number, random = Math.random()): number {
  return Math.round(random * Math.min(MAX_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** Math.min(failures, 20)))
}

/** How long a partition whose key was refused so many times in a row is left alone, in ms: a minute, then longer up to an hour. */
export function suspendedPause(refusals: number): number {
  return Math.min(MAX_SUSPENDED_MS, 60_000 * 2 ** Math.min(refusals - 1, 20))
}

/** How long an event that keeps failing by itself is set aside, in ms: two minutes, then longer up to an hour. */
export function setAsidePause(attempts: number, triesBefore: number): number {
  return Math.min(MAX_SUSPENDED_MS, 120_000 * 2 ** Math.min(Math.max(attempts - triesBefore, 0), 20))
}

function numberIn(text: string | null): number | undefined {
  const number = text === null || text.trim() === '' ? NaN : Number(text)
  return Number.isFinite(number) ? number : undefined
}

function clamp(ms: number, max: number): number {
  return Math.min(Math.max(ms, MIN_PAUSE_MS), max)
}
