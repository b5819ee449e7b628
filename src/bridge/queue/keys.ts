import { createHash } from 'node:crypto'

/** A userId is kept in the store; nothing there should be as long as somebody likes. */
const MAX_USER_ID = 255

/** The id of a user as the queue knows it: one that is too long is known by its hash. */
export function storableId(id: string): string {
  return shortened(id, MAX_USER_ID)
}

/** An id, or its hash where it is longer than `max`. */
export function shortened(id: string, max: number): string {
  return id.length > max ? `hash-${createHash('sha256').update(id).digest('base64url')}` : id
}

/** The keys a user goes by inside a partition. Hashes: short, of one length, and safe for every store. */
export function userKey(userId: string): string {
  return hash('user', userId)
}

export function anonymousKey(anonymousId: string): string {
  return hash('anonymous', anonymousId)
}

export function emailKey(email: string): string {
  return hash('email', email)
}

/**
 * What duplicates are known by. A rejected item does not stand in the way of a good event with its message id. Many senders
 * begin their ids with the time; kept as they are, those of one hour stand side by side in the store, which makes noting
 * them twice as fast as at random places. Those with an address in them are not kept as they are.
 */
export function messageKey(messageId: string, kind: 'event' | 'rejected'): string {
  return kind === 'event' && PLAIN.test(messageId) ? messageId : `!${hash(kind, messageId)}`
}

/** Any store takes this as it is, and none of these begins like a hash. */
const PLAIN = /^[\w-][\x20-\x3f\x41-\x7e]{0,99}$/

/** 128 bits: of a billion keys in a partition, two are the same with a probability of 1 in 10²⁰. */
function hash(kind: string, value: string): string {
  return createHash('sha256').update(`${kind} ${value}`).digest('base64url').slice(0, 22)
}
