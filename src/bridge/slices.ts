import { setImmediate } from 'node:timers/promises'

/** How long anybody else may have to wait for a piece of work. */
const SLICE_MS = 10

/**
 * Does long work in slices, so that others are answered in between, and one piece of work after the other, so that the slices
 * of many pieces do not add up.
 */
export class Slices {
  private last: Promise<unknown> = Promise.resolve()

  /** @param work yields wherever it may be interrupted */
  run<Result>(work: Generator<void, Result>): Promise<Result> {
    const result = this.last.then(() => inSlices(work))
    this.last = result.catch(() => undefined)
    return result
  }
}

async function inSlices<Result>(work: Generator<void, Result>): Promise<Result> {
  for (;;) {
    await setImmediate()
    const until = performance.now() + SLICE_MS
    while (performance.now() < until) {
      const { done, value } = work.next()
      if (done) return value
    }
  }
}

/** Does short work at once. */
export function atOnce<Result>(work: Generator<void, Result>): Result {
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
  }
}
