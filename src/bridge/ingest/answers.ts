import { PartitionRefused, QueueFull, QueueUnavailable } from '../queue'
import { UnreadableBody } from './shapes'

/** A request the door does not take, with the status and the words for its sender. */
export class Refusal extends Error {
  constructor(readonly status: 400 | 401 | 403 | 413 | 503, message: string, readonly retryAfter?: number) {
    super(message)
    this.name = 'Refusal'
  }
}

/** What is answered instead of 200. `retryAfter` in seconds. */
export interface RefusalAnswer {
  status: number
  error: string
  retryAfter?: number
}

/**
 * The answer for whatever went wrong. A 4xx other than 408 and 429 makes both senders throw the events away, so it is only
 * for what cannot become right by itself; all trouble of ours is 503, which is sent again, and nothing is ever 501, which
 * Segment drops. Undefined for an error nobody foresaw: 503 as well, and worth a line in the log.
 */
export function refusalAnswer(error: unknown): RefusalAnswer | undefined {
  if (error instanceof Refusal) return { status: error.status, error: error.message, retryAfter: error.retryAfter }
  if (error instanceof UnreadableBody) return { status: 400, error: error.message }
  if (error instanceof PartitionRefused) return { status: 401, error: error.message }
  if (error instanceof QueueFull) {
    return { status: error.scope === 'partition' ? 429 : 503, error: error.message, retryAfter: 60 }
  }
  if (error instanceof QueueUnavailable) {
    return { status: 503, error: 'the bridge cannot store anything right now, try again', retryAfter: 10 }
  }
  return undefined
}
