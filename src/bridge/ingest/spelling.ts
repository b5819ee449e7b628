import type { JsonObject } from '../event'

/** The names that mean something at the root of an event, in Segment's spelling. */
const NAMES = [
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
]

/** Senders' secrets, which nobody here needs and nothing may keep. */
const SECRET = 'writekey'

const bySound = new Map(NAMES.map((name) => [sound(name), name]))

/**
 * A copy of the event with its root names in Segment's spelling: `message_id`, `MessageID` and `message-id` all become
 * `messageId`, any other name stays as it is. A write key is left out. Where one thing is said twice, the right spelling
 * wins, then the first that is not null.
 */
export function inSegmentsSpelling(event: JsonObject): JsonObject {
  const spelled: JsonObject = {}
  for (const [key, value] of Object.entries(event)) {
    const heard = sound(key)
    const name = bySound.get(heard) ?? key
    if (heard !== SECRET && (spelled[name] == null || (name === key && value != null))) spelled[name] = value
  }
  return spelled
}

function sound(name: string): string {
  return name.replace(/[_\s-]/g, '').toLowerCase()
}
