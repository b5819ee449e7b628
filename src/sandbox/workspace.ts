import type { Faults } from './faults'
import type { Happenings } from './happenings'
import type { RateLimiter } from './rate-limit'
import type { Store } from './store'
import type { Traffic } from './traffic'

export type EventMatch = 'case-insensitive' | 'normalized'

/** Everything one running sandbox is made of. Contacts, lists, events and keys are in `store`; the rest lives as long as the process. */
export interface Workspace {
  store: Store
  limiter: RateLimiter
  faults: Faults
  traffic: Traffic
  happenings: Happenings
  now: () => number
  eventMatch: EventMatch
  /** `missing` makes `GET /whoami` a 404, as on servers that do not have it. */
  whoami: 'available' | 'missing'
}
