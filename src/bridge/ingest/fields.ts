import { createHash, randomUUID } from 'node:crypto'
import { resolveEmail, toEmail } from '../../../definitions/emailsendx/functions'
import type { BridgeEvent } from '../event'
import { shortened } from '../queue/keys'
import type { JsonObject } from '../../http/json'

/** The names that mean something at the root of an event, in Segment's spelling. */
const NAMES = new Set([
  'type',
  'messageId',
  'userId',
  'anonymousId',
  'event',
  'email',
  'timestamp',
  'originalTimestamp',
  'sentAt',
  'receivedAt',
  'context',
  'traits',
  'properties',
  'integrations'
])

/** Senders' secrets, which nobody here needs and nothing may keep. */
const SECRET = 'writeKey'

const bySound = new Map([...NAMES, SECRET].map((name) => [sound(name), name]))

/**
 * A copy of the event with its root names in Segment's spelling: `message_id`, `MessageID` and `message-id` all become
 * `messageId`, any other name stays as it is. A write key is left out. Where one thing is said twice, the right spelling
 * wins, then the first that is not null.
 */
export function inSegmentsSpelling(event: JsonObject): JsonObject {
  const spelled: JsonObject = {}
  for (const key of Object.keys(event)) {
    const value = event[key]
    const name = NAMES.has(key) ? key : bySound.get(sound(key)) ?? key
    if (name !== SECRET && (spelled[name] == null || (name === key && value != null))) spelled[name] = value
  }
  return spelled
}

function sound(name: string): string {
  return name.replace(/[_\s-]/g, '').toLowerCase()
}

// ------------------------------------------------------------------------------------------------------------------- ids

/** Segment's own limit for a messageId (its duplicate-data guide). */
const MAX_MESSAGE_ID = 100
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

/**
 * The name an event is de-duplicated by: its messageId (a hash of it when over 100 characters), else a hash of the event, so
 * that a sender's retry is recognised. An event that has no time either can only be told from its own repetition by
 * counting it as new: then two equal purchases stay two, and a retry is not recognised.
 */
export function messageIdOf(event: JsonObject): string {
  const given = idText(event.messageId)
  if (given !== undefined) return shortened(given, MAX_MESSAGE_ID)
  if (event.timestamp == null && event.originalTimestamp == null) return `new-${randomUUID()}`
  // sentAt and receivedAt tell the attempts of one event apart, so they are no part of what it says.
  const { sentAt, receivedAt, ...said } = event
  return contentId(said)
}

/** A name for something that has none, from what it says; equal things get the same one. */
export function contentId(value: unknown): string {
  return `hash-${createHash('sha256').update(JSON.stringify(value)).digest('base64url')}`
}

// ------------------------------------------------------------------------------------------------------------------ time

/** When the event happened, as far as can be told: never later than it arrived, for a client's clock may run ahead. */
export function timeOf(event: JsonObject, receivedAt: Date): Date {
  const arrived = receivedAt.getTime()
  const time = asTime(event.timestamp) ?? asTime(event.originalTimestamp) ?? asTime(event.sentAt) ?? arrived
  return new Date(Math.min(time, arrived))
}

/** Of a Date, in ms from 1970. */
const MAX_TIME = 8.64e15

function asTime(value: unknown): number | undefined {
  const millis = millisOf(value)
  return Math.abs(millis) <= MAX_TIME ? millis : undefined
}

/** Accepts a number of seconds or milliseconds since 1970, and any text Date understands; a time without a zone is UTC. */
function millisOf(value: unknown): number {
  if (typeof value === 'number') return value < 1e11 ? value * 1000 : value
  if (typeof value !== 'string') return NaN
  const text = value.trim()
  if (/^\d{9,}$/.test(text)) return millisOf(Number(text))
  const zoneless = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text)
  return Date.parse(zoneless ? `${text.replace(' ', 'T')}Z` : text)
}

// --------------------------------------------------------------------------------------------------------------- address

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
 * The address of a call, trimmed and lower-cased, from the first place that has something to say. When that is no address the
 * call can't be delivered: like the destination, we do not pass it over, since the user id may be somebody else's.
 */
export function findEmail(
  type: 'identify' | 'track',
  at: EmailPlaces
): Pick<BridgeEvent, 'email' | 'emailIsUserId' | 'emailProblem'> {
  const places =
    type === 'identify'
      ? [at.traits?.email, at.contextTraits?.email, at.root]
      : [at.contextTraits?.email, at.traits?.email, at.properties?.email, at.root]
  const given = places.find((place): place is string => typeof place === 'string' && place.trim() !== '')
  if (given === undefined) {
    const email = typeof at.userId === 'string' ? toEmail(at.userId) : undefined
    return email === undefined ? {} : { email, emailIsUserId: true }
  }
  try {
    return { email: resolveEmail({ email: given }) }
  } catch (error) {
    return { emailProblem: (error as Error).message }
  }
}
