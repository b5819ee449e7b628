import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { RejectedItem } from '../event'
import type { Queue } from '../queue'
import { isSigned, noKey, readKey, unauthorized } from './auth'
import { MAX_BODY_BYTES, NoMemory, readBody, tooLarge } from './body'
import { contentId } from './fields'
import type { Memory, MemoryShare } from './memory'
import { normalize } from './normalize'
import type { Normalized, RequestContext } from './normalize'
import { readOptions } from './options'
import { atOnce, Slices } from '../slices'
import type { Source } from './sources'
import { networkOf, StrangerRate } from './strangers'
import { openItem, unpack } from './unpack'

/** What is answered once everything in a request is on disk: how many events became what. */
export interface Receipt {
  /** Newly taken, to be delivered. */
  accepted: number
  /** Taken before, recognised by their messageId. */
  duplicates: number
  /** Of a type that EmailSendX has no use for. */
  ignored: number
  /** Kept as dead letters: no events, too large, or not deliverable. */
  rejected: number
}

/** What the ingest works with. */
export interface IngestParts {
  queue: Pick<Queue, 'enqueue' | 'isProven'>
  memory: Memory
  /** When set, what comes from Segment's webhooks must be signed with it. */
  sharedSecret?: string
  /** Bytes that an event may have, with what its batch says for all; larger ones become dead letters. */
  maxEventBytes: number
}

export type Query = Record<string, string | string[] | undefined>

/** Takes one request in. Rejects with an HttpError, or what `Queue.enqueue` throws; then nothing was taken. */
export type Receive = (source: Source, request: IncomingMessage, ip: string, query: Query) => Promise<Receipt>

/** Bodies up to this size are taken apart in a millisecond or two. */
const MAX_BYTES_AT_ONCE = 64 * 1024

/** Makes what takes requests in: nothing of one, or all of it, on disk. */
export function createIngest({ queue, memory, sharedSecret, maxEventBytes }: IngestParts): Receive {
  // Strangers wait for strangers only.
  const slices = { proven: new Slices(), strangers: new Slices() }
  const strangers = new StrangerRate()

  /** Whether EmailSendX has accepted the key. Of strangers only so many are let in. */
  async function admit(apiKey: string, address: string): Promise<boolean> {
    const isProven = await queue.isProven({ apiKey })
    if (!isProven) strangers.count(address)
    return isProven
  }

  return async (source, request, ip, query) => {
    const address = networkOf(ip)
    const { headers } = request
    const keyInHead = readKey(headers)
    // Only an SDK may have its key in the body.
    if (keyInHead === undefined && source.name !== 'sdk') throw noKey()
    const context = { options: readOptions(query, headers), receivedAt: new Date(), type: source.type }
    if (Number(headers['content-length']) > MAX_BODY_BYTES) throw tooLarge()

    const isProven = keyInHead !== undefined && (await admit(keyInHead, address))
    const share = memory.shareOf({ address, apiKey: keyInHead, isProven })
    try {
      const body = await readBody(request, headers['content-encoding'], share)
      const secret = source.name === 'segment' ? sharedSecret : undefined
      const work = takeApart(body, { headers, keyInHead, secret, maxEventBytes, share, context })
      const isShort = body.length <= MAX_BYTES_AT_ONCE
      const taken = isShort ? atOnce(work) : await slices[isProven ? 'proven' : 'strangers'].run(work)
      const { apiKey, events, rejected, ignored } = taken
      if (keyInHead === undefined) await admit(apiKey, address)
      if (events.length + rejected.length === 0) return { accepted: 0, duplicates: 0, ignored, rejected: 0 }
      const { accepted, duplicates } = await queue.enqueue({ apiKey }, { events, rejected })
      return { accepted, duplicates, ignored, rejected: rejected.length }
    } catch (error) {
      // An empty request makes the delivery ask EmailSendX about the key, which may have large requests once it is accepted.
      if (error instanceof NoMemory && keyInHead !== undefined && !isProven) {
        await queue.enqueue({ apiKey: keyInHead }, { events: [], rejected: [] })
      }
      throw error
    } finally {
      share.release()
    }
  }
}

interface Received {
  headers: IncomingHttpHeaders
  keyInHead?: string
  /** What the request must be signed with. */
  secret?: string
  maxEventBytes: number
  share: MemoryShare
  context: RequestContext
}

/** The events of a body, in steps that each take a moment. */
function* takeApart(
  body: Buffer,
  { headers, keyInHead, secret, maxEventBytes, share, context }: Received
): Generator<void, Normalized & { apiKey: string }> {
  const unpacked = unpack(body, headers['content-type'], maxEventBytes)
  const apiKey = keyInHead ?? readKey({}, unpacked.writeKey)
  if (apiKey === undefined) throw noKey()
  if (secret !== undefined && !isSigned(secret, headers['x-signature'], body, unpacked.items)) {
    throw unauthorized('X-Signature is missing or not made with the shared secret of this bridge')
  }
  if (!share.take(unpacked.items.length * unpacked.sharedBytes)) throw new NoMemory()

  const result: Normalized = { events: [], rejected: [], ignored: 0 }
  for (const item of unpacked.items) {
    yield
    const bytes = item.length + unpacked.sharedBytes
    if (bytes > maxEventBytes) result.rejected.push(oversized(item, bytes, maxEventBytes))
    else normalize(openItem(item, unpacked), context, result)
  }
  return { ...result, apiKey }
}

/** Kept as the text it came as: parsing it is what could take too long. */
function oversized(item: Buffer, bytes: number, max: number): RejectedItem {
  const text = item.toString()
  const reason = `an event of ${bytes} bytes, with what its batch says for all: the limit is ${max} (--max-event-bytes)`
  return { messageId: contentId(text), reason, item: text }
}
