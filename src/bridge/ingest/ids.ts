import { createHash, randomUUID } from 'crypto'
import type { JsonObject } from '../event'

/** Segment's own limit for a messageId (its duplicate-data guide). */
const LONGEST_MESSAGE_ID = 100
/** A userId is an index key in the store; Postgres refuses index rows over about 2,700 bytes. */
const LONGEST_USER_ID = 255
/** NUL, which Postgres refuses in text, and halves of a surrogate pair, which UTF-8 cannot say. */
const UNSTORABLE = /\0|\p{Surrogate}/gu

/**
 * An id as text: numbers become their digits, surrounding space goes, and so does what no store can keep.
 * Undefined for anything else, and for an empty one.
 */
export function idText(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'string') return undefined
  const text = value.replace(UNSTORABLE, '').trim()
  return text === '' ? undefined : text
}

/** The id of a user as the identity store knows it: one that is too long for an index is known by its hash. */
export function userKey(id: string | undefined): string | undefined {
  return id === undefined ? undefined : shortened(id, LONGEST_USER_ID)
}

/**
 * The name an event is de-duplicated by: its messageId (a hash of it when over 100 characters), else a hash of the event, so
 * that a sender's retry is recognised. An event that has no time either can only be told from its own repetition by
 * counting it as new: then two equal purchases stay two, and a retry is not recognised.
 */
export function messageIdOf(event: JsonObject): string {
  const given = idText(event.messageId)
  if (given !== undefined) return shortened(given, LONGEST_MESSAGE_ID)
  if (event.timestamp == null && event.originalTimestamp == null) return `new-${randomUUID()}`
  // sentAt and receivedAt tell the attempts of one event apart, so they are no part of what it says.
  const { sentAt, receivedAt, ...said } = event
  return contentId(said)
}

/** A name for something that has none, from what it says; equal things get the same one. */
export function contentId(value: unknown): string {
  return `hash-${sha256(JSON.stringify(value))}`
}

function shortened(id: string, longest: number): string {
  return id.length > longest ? `hash-${sha256(id)}` : id
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
