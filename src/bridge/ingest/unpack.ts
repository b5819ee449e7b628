import { withShared } from '../../http/batch'
import { HttpError } from '../../http/errors'
import { isObject } from '../../http/json'
import type { JsonObject } from '../../http/json'
import { MAX_BODY_BYTES, tooLarge } from './body'
import { BRACE, BRACKET, elements, memberOf, parseForm, parseJson, QUOTE, trimmed } from './parse'

/** More than any sender batches: Segment's webhooks stop at 4,000 events, its SDKs at 2,500, RudderStack at 100. */
const MAX_EVENTS = 10_000

/** A body cut into its events, which are not parsed yet. */
export interface Unpacked {
  /** The text of each event. */
  items: Buffer[]
  isForm?: boolean
  /** What the batch says for all of its events, and the bytes it adds to each. Not parsed where it alone is too large for one. */
  shared?: JsonObject
  sharedBytes: number
  /** The key inside the body. */
  writeKey?: unknown
}

/**
 * Cuts a body into its events: one event, an array of them, or the `{batch: […]}` of the SDKs. The content type only tells
 * whether a text that is no JSON is a form: RudderStack's Node SDK sends gzipped JSON as `application/x-www-form-urlencoded`
 * (axios' default for a Buffer).
 * @param maxEventBytes what an event may have, with what its batch shares
 * @throws HttpError 400 when nobody can tell what was meant, 413 when it is more than anybody sends
 */
export function unpack(body: Buffer, contentType: string | undefined, maxEventBytes: number): Unpacked {
  const text = trimmed(body)
  if (text[0] === BRACKET) return { items: cut(text), sharedBytes: 0 }
  if (text[0] === BRACE) return unpackObject(text, maxEventBytes)
  const isForm =
    text[0] !== QUOTE && /^\s*application\/x-www-form-urlencoded/i.test(contentType ?? '') && text.includes('=')
  return { items: [text.length === 0 ? Buffer.from('null') : text], isForm, sharedBytes: 0 }
}

/** An event has some twenty members at its root. What has more than a thousand is no batch. */
const MAX_ROOT_MEMBERS = 1_000
const SHARED = ['context', 'integrations', 'sentAt']

function unpackObject(text: Buffer, maxEventBytes: number): Unpacked {
  const members = new Map<string, Buffer>()
  for (const element of elements(text)) {
    if (members.size === MAX_ROOT_MEMBERS) break
    if (element.length === 0) continue
    const { name, value } = memberOf(element)
    members.set(name, value)
  }
  const key = members.get('writeKey')
  const writeKey = key && key.length < maxEventBytes ? parseJson(key.toString()) : undefined
  const batch = members.get('batch')
  if (batch?.[0] !== BRACKET) return { items: [text], sharedBytes: 0, writeKey }

  const items = cut(batch)
  const shared = [...members].filter(([name]) => SHARED.includes(name))
  const sharedBytes = shared.reduce((sum, [, value]) => sum + value.length, 0)
  if (text.length + items.length * sharedBytes > MAX_BODY_BYTES) throw tooLarge()
  if (sharedBytes > maxEventBytes) return { items, sharedBytes, writeKey }
  const parsed = shared.map(([name, value]) => [name, parseJson(value.toString())])
  return { items, shared: Object.fromEntries(parsed) as JsonObject, sharedBytes, writeKey }
}

function cut(array: Buffer): Buffer[] {
  const items: Buffer[] = []
  for (const item of elements(array)) {
    if (items.push(item) > MAX_EVENTS) throw new HttpError(413, `over ${MAX_EVENTS} events in one request: send fewer`)
  }
  return items
}

/**
 * One event as it was meant: without the `{json: event}` or `{body: 'a=b&…'}` in which Segment's Extensible Webhook batches,
 * and with what its batch says for all.
 * @throws HttpError 400
 */
export function openItem(text: Buffer, { isForm, shared = {} }: Unpacked): unknown {
  const item = isForm ? parseForm(text.toString()) : unwrap(parseJson(text.toString()))
  return isObject(item) ? withShared(item, shared) : item
}

function unwrap(item: unknown): unknown {
  if (!isObject(item) || 'type' in item || Object.keys(item).length !== 1) return item
  if ('json' in item) return item.json
  return typeof item.body === 'string' ? parseForm(item.body) : item
}
