import { setTimeout } from 'node:timers/promises'

/** Calls a minute that may be made. What was spent too much is made up for by waiting. */
export class Budget {
  private freeAt = 0

  constructor(private readonly perMinute: number) {}

  spend(calls: number): void {
    this.freeAt = Math.max(this.freeAt, performance.now()) + (calls * 60_000) / this.perMinute
  }

  /** Waits until there is something left to spend. @throws AbortError */
  async wait(signal: AbortSignal): Promise<void> {
    const left = this.freeAt - performance.now()
    if (left > 0) await setTimeout(left, undefined, { signal })
  }
}
