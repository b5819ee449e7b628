import { toUSVString } from 'node:util'
import { messageKey } from './keys'
import { toBeDeleted } from './person'
import type { PackedRequest } from './transactions/enqueue'
import { bytesOf } from './transactions/sql'
import type { EnqueueRequest } from './types'

/** Added to the bytes of an event for its row, keys and indexes. */
const ROW_BYTES = 300

/** A request as the store takes it, in steps that each take a moment. */
export function* packed(
  names: Pick<PackedRequest, 'fingerprint' | 'encryptedKey'>,
  request: EnqueueRequest
): Generator<void, PackedRequest> {
  const events: PackedRequest['events'] = []
  for (const event of request.events) {
    events.push({
      messageKey: messageKey(event.messageId, 'event'),
      type: event.type,
      ...written(event.messageId, event)
    })
    yield
  }
  const rejected: PackedRequest['rejected'] = []
  for (const { messageId, reason, item } of request.rejected) {
    rejected.push({
      messageKey: messageKey(messageId, 'rejected'),
      type: 'rejected',
      reason: storable(reason),
      deletes: toBeDeleted(item),
      ...written(messageId, item ?? null)
    })
    yield
  }
  return { ...names, events, rejected, bytes: bytesOf([...events, ...rejected]) }
}

/** What is stored of an event or a rejected item. */
export function written(messageId: string, content: unknown): { messageId: string; body: string; bytes: number } {
  const body = JSON.stringify(content)
  return { messageId: storable(messageId), body, bytes: Buffer.byteLength(body) + ROW_BYTES }
}

/** Postgres takes no NUL in a text, and nothing that is no Unicode. (In JSON they are written \u0000 and \ud800.) */
export function storable(text: string): string {
  return toUSVString(text.replace(/\0/g, ''))
}
