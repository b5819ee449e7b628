/**
 * No partition is left alone for longer than this, whatever was asked of it. A time further away than that can only come from a
 * clock that has since been set back, and counts as now.
 */
export const MAX_PAUSE_MS = 60 * 60 * 1000

/** When a partition with work to do is due, given how long it was asked to pause. All times in ms since 1970. */
export function dueAfter(pausedUntil: number, now: number): number {
  return pausedUntil > now && pausedUntil <= now + MAX_PAUSE_MS ? pausedUntil : now
}
