import { toEmail } from '../../../definitions/emailsendx/email'
import type { JsonObject } from '../event'

/** The objects and fields of a call that may hold an address. */
export interface EmailPlaces {
  traits?: JsonObject
  contextTraits?: JsonObject
  properties?: JsonObject
  /** Segment's Event Tester puts it at the root of the event. */
  root: unknown
  userId: unknown
}

/**
 * The address of a call, trimmed and lower-cased, from the first place that has something to say. When that is no address
 * the call has none: like the destination, we do not pass it over, since the user id may be somebody else's.
 */
export function findEmail(type: 'identify' | 'track', at: EmailPlaces): string | undefined {
  const places =
    type === 'identify'
      ? [at.traits?.email, at.contextTraits?.email, at.root, at.userId]
      : [at.contextTraits?.email, at.traits?.email, at.properties?.email, at.root, at.userId]
  const first = places.find((place): place is string => typeof place === 'string' && place.trim() !== '')
  return first === undefined ? undefined : toEmail(first)
}
