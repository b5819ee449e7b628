import { LRUCache } from 'lru-cache'
import type { Pace } from '../../../definitions/emailsendx/functions'
import { WINDOW_MS } from './backoff'

const MAX_PARTITIONS = 10_000

/** How many calls keys have left, as far as EmailSendX has told this process: for operators to see. */
export class CallsLeft {
  private readonly told = new LRUCache<string, { pace: Pace; at: number }>({ max: MAX_PARTITIONS })

  /** @param now ms since 1970 */
  constructor(private readonly now = Date.now) {}

  note(partition: string, pace: Pace | undefined): void {
    if (pace?.remaining !== undefined) this.told.set(partition, { pace, at: this.now() })
  }

  /** What was left after the last call, or all of them once that is a minute ago. Undefined: nobody has told. */
  of(partition: string): number | undefined {
    const last = this.told.get(partition)
    if (last === undefined) return undefined
    const isOver = Math.abs(this.now() - last.at) >= WINDOW_MS
    return isOver ? last.pace.limit : last.pace.remaining
  }
}
