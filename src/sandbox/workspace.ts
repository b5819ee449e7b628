import type { Choices } from './assumptions'
import type { Faults } from './faults'
import type { Happenings } from './happenings'
import type { RateLimiter } from './rate-limit'
import type { Store } from './store'
import type { Traffic } from './traffic'

export const MAXIMUM_RATE_LIMIT = 1_000_000

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
  traffic: Traffic
  happenings: Happenings
  now: () => number
}
