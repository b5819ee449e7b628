import type { IncomingMessage } from 'http'
import type { Queue } from '../queue'
import { Refusal } from './answers'
import type { Memory } from './body'
import { LARGEST_BODY, readBody, TOO_LARGE } from './body'
import type { Door } from './doors'
import { isObject } from './json'
import { readKey } from './key'
import { normalise } from './normalise'
import { readOptions } from './options'
import { parseBody, unwrap } from './shapes'
import { isSigned } from './signatures'

/** More than any sender batches: Segment's webhooks stop at 4,000 events, its SDKs at 2,500, RudderStack at 100. */
const MOST_EVENTS = 10_000

/** What a door answers once everything it took is on disk: how many events became what. */
export interface Receipt {
  /** Newly taken, to be delivered. */
  accepted: number
  /** Taken before, recognised by their messageId. */
  duplicates: number
  /** Of a type that EmailSendX has no use for. */
  ignored: number
  /** Kept as dead letters: no events, or not deliverable. */
  rejected: number
}

/** What a door works with. */
export interface Receiver {
  queue: Pick<Queue, 'enqueue'>
  memory: Memory
  /** When set, Segment's door takes only what is signed with it. */
  sharedSecret?: string
}

/**
 * Takes one request in at a door: nothing of it, or all of it, on disk.
 * @param query the parsed query string
 * @throws Refusal, UnreadableBody, or what `Queue.enqueue` throws; then nothing was taken
 */
export async function receive(
  door: Door,
  request: IncomingMessage,
  query: Record<string, string | string[] | undefined>,
  { queue, memory, sharedSecret }: Receiver
): Promise<Receipt> {
  const { headers } = request
  const isSdk = door.name === 'sdk'
  if (!isSdk) keyOf(readKey(headers))
  const given = readOptions(query, headers)
  if ('problem' in given) throw new Refusal(400, given.problem)
  if (Number(headers['content-length']) > LARGEST_BODY) throw TOO_LARGE

  const receivedAt = new Date()
  const body = await readBody(request, headers['content-encoding'], memory)
  try {
    const parsed = parseBody(body.text, headers['content-type'])
    const apiKey = keyOf(readKey(headers, isSdk && isObject(parsed) ? parsed.writeKey : undefined))
    if (sharedSecret !== undefined && door.name === 'segment') {
      if (!isSigned(sharedSecret, headers['x-signature'], body.text, parsed)) throw new Refusal(401, WRONG_SIGNATURE)
    }
    const items = unwrap(parsed)
    if (items.length > MOST_EVENTS)
      throw new Refusal(413, `${items.length} events in one request: send at most ${MOST_EVENTS}`)
    const { events, rejected, ignored } = normalise(items, { options: given.options, receivedAt, type: door.type })
    if (events.length + rejected.length === 0) return { accepted: 0, duplicates: 0, ignored, rejected: 0 }
    const taken = await queue.enqueue({ apiKey }, { events, rejected })
    return { accepted: taken.accepted, duplicates: taken.duplicates, ignored, rejected: rejected.length }
  } finally {
    body.release()
  }
}

const WRONG_SIGNATURE = 'X-Signature is missing or not made with the shared secret of this bridge'

function keyOf(found: ReturnType<typeof readKey>): string {
  if ('problem' in found) throw new Refusal(401, found.problem)
  return found.key
}
