import type { Pace } from '../../../definitions/emailsendx/functions'

/** A track takes up to two calls: to find the contact, and to fire the event. */
const CALLS_IN_RESERVE = 2
/** EmailSendX counts the requests of the last 60 seconds. */
export const WINDOW_MS = 60_000
/** No pause for a place in the window is longer: its clock and ours may differ by a moment. */
const MAX_WINDOW_PAUSE_MS = 61_000
/** After a refusal that does not say for how long. */
const REFUSED_PAUSE_MS = 30_000

const FIRST_BACK_OFF_MS = 1_000
const MAX_BACK_OFF_MS = 60_000
const MAX_SUSPENDED_MS = 60 * 60 * 1000

/**
 * How long to leave EmailSendX alone after it has said this, in ms: so that no call is made that would be refused.
 * @param ages how long ago the calls of the last window were answered, in ms, oldest first. The reset is when one place is
 *   free again; where two are needed, the second call tells when.
 */
export function pauseAfter(pace: Pace | undefined, ages: number[] = []): number {
  if (pace?.status === 429) return pace.retryAfterMs ?? pace.resetMs ?? REFUSED_PAUSE_MS
  if (pace?.remaining === undefined || pace.remaining >= CALLS_IN_RESERVE) return pace?.retryAfterMs ?? 0
  const age = ages[CALLS_IN_RESERVE - pace.remaining - 1] ?? WINDOW_MS
  return Math.min(MAX_WINDOW_PAUSE_MS, Math.max(pace.resetMs ?? MAX_WINDOW_PAUSE_MS, WINDOW_MS - age))
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
