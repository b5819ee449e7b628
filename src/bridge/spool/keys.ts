import { createHash } from 'node:crypto'

/** The keys a user goes by inside a lane. Hashes: short, of one length, and safe for every store. */
export function userKey(userId: string): string {
  return hash('user', userId)
}

export function anonymousKey(anonymousId: string): string {
  return hash('anonymous', anonymousId)
}

export function emailKey(email: string): string {
  return hash('email', email)
}

/** What duplicates are known by. A rejected item does not stand in the way of a good event with its message id. */
export function messageKey(messageId: string, kind: 'event' | 'rejected'): string {
  return hash(kind, messageId)
}

/** 128 bits: of a billion keys in a lane, two are the same with a probability of 1 in 10²⁰. */
function hash(kind: string, value: string): string {
  return createHash('sha256').update(`${kind} ${value}`).digest('base64url').slice(0, 22)
}
