const WINDOW_MS = 60_000

/** Where a key stands in its window. `reset` is in Unix seconds, `retryAfter` in seconds (0 when a call would pass). */
export interface RateWindow {
  limit: number
  used: number
  remaining: number
  reset: number
  retryAfter: number
}

/** Counts calls per key over the last 60 seconds, not over a clock minute. */
export class RateLimiter {
  /** Times of the counted calls per key id, oldest first; never more than the limit allows. */
  private readonly calls = new Map<string, number[]>()

  constructor(private readonly settings: { readonly rateLimit: number }, private readonly now: () => number) {}

  /** Counts one call if there is room. @returns false when the call must be refused, which costs nothing */
  take(keyId: string): boolean {
    const recent = this.recent(keyId)
    if (recent.length >= this.settings.rateLimit) return false
    recent.push(this.now())
    return true
  }

  /** The window of one key; without a key the window nobody has used. */
  window(keyId?: string): RateWindow {
    const recent = keyId === undefined ? [] : this.recent(keyId)
    const limit = this.settings.rateLimit
    const used = Math.min(recent.length, limit)
    // The call that has to leave before the next one fits: with a limit lowered meanwhile it is not the oldest one.
    const blocking = recent[recent.length - limit]
    const oldest = recent[0]
    return {
      limit,
      used,
      remaining: limit - used,
      reset: Math.ceil((oldest === undefined ? this.now() : oldest + WINDOW_MS) / 1000),
      retryAfter: blocking === undefined ? 0 : Math.max(1, Math.ceil((blocking + WINDOW_MS - this.now()) / 1000))
    }
  }

  clear(): void {
    this.calls.clear()
  }

  private recent(keyId: string): number[] {
    const start = this.now() - WINDOW_MS
    const recent = (this.calls.get(keyId) ?? []).filter((time) => time > start)
    this.calls.set(keyId, recent)
    return recent
  }
}

/** The headers that are on every answer of the API. */
export function rateHeaders(window: RateWindow): Record<string, string> {
  return {
    'X-RateLimit-Limit': String(window.limit),
    'X-RateLimit-Remaining': String(window.remaining),
    'X-RateLimit-Reset': String(window.reset)
  }
}
