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
  'integrations',
  'writeKey'
]

const bySound = new Map(NAMES.map((name) => [sound(name), name]))

/**
 * The event with its root names in Segment's spelling: `message_id`, `MessageID` and `message-id` all become `messageId`, any
 * other name stays as it is. Where one thing is said twice, the right spelling wins, then the first that is not null.
 */
export function inSegmentsSpelling(event: JsonObject): JsonObject {
  const spelled: JsonObject = {}
  for (const [key, value] of Object.entries(event)) {
    const name = bySound.get(sound(key)) ?? key
    if (spelled[name] == null || (name === key && value != null)) spelled[name] = value
  }
  return spelled
}

function sound(name: string): string {
  return name.replace(/[_\s-]/g, '').toLowerCase()
}
