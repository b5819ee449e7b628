import type { Choices } from './assumptions'
import type { Store } from './db/store'
import type { Faults } from './faults/faults'
import type { RequestLog } from './inspect/requests'
import type { EventStream } from './inspect/stream'
import type { RateLimiter } from './rate-limit'

/** What may be changed while the sandbox runs. */
export interface Settings extends Choices {
  /** Calls per key in 60 seconds. */
  rateLimit: number
}

/** All that one running sandbox is. The store holds the data and the keys; the rest lives as long as the process. */
export interface Workspace {
  store: Store
  settings: Settings
  /** The settings that a reset returns to. */
  initialSettings: Readonly<Settings>
  limiter: RateLimiter
  faults: Faults
  requests: RequestLog
  stream: EventStream
  now: () => number
}
