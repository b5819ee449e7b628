import type { JsonObject } from '../event'

/** The longest address a mail server has to take (RFC 5321, as corrected by RFC 3696's erratum 1690). */
const LONGEST = 254
const LOOKS_LIKE_ONE = /^[^\s@\p{Cc}\p{Cs}]+@[^\s@\p{Cc}\p{Cs}]+\.[^\s@\p{Cc}\p{Cs}]+$/u

/** The objects and fields of a call that may hold an address. */
export interface EmailPlaces {
  traits?: JsonObject
  contextTraits?: JsonObject
  properties?: JsonObject
  /** Segment's Event Tester puts it at the root of the event. */
  root: unknown
  userId: unknown
}

/** The address of a call, trimmed and lower-cased, from the first place that holds one. */
export function findEmail(type: 'identify' | 'track', at: EmailPlaces): string | undefined {
  const places =
    type === 'identify'
      ? [at.traits?.email, at.contextTraits?.email, at.root, at.userId]
      : [at.contextTraits?.email, at.traits?.email, at.properties?.email, at.root, at.userId]
  for (const place of places) {
    const email = asEmail(place)
    if (email !== undefined) return email
  }
  return undefined
}

function asEmail(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const email = value.trim().toLowerCase()
  return email.length <= LONGEST && LOOKS_LIKE_ONE.test(email) ? email : undefined
}
