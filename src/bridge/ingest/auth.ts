import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { HttpError } from '../../http/errors'
import { isObject, jsonOf } from '../../http/json'

const KEY_SHAPE = /^esx_[\w-]{4,200}$/

/**
 * The EmailSendX API key of a request: `Authorization: Bearer KEY`, `Authorization: Basic base64(KEY:)` (Segment's partner
 * sender and all SDKs), or `x-api-key: KEY`, in this order.
 * @param writeKey the `writeKey` inside the body, which SDKs may use instead of a header
 * @returns undefined when none is given
 * @throws HttpError 401 when what is given is no EmailSendX key
 */
export function readKey(headers: IncomingHttpHeaders, writeKey?: unknown): string | undefined {
  const given = [fromAuthorization(headers.authorization), headers['x-api-key'], writeKey].find(isGiven)?.trim()
  if (given === undefined || KEY_SHAPE.test(given)) return given
  throw unauthorized(`not an EmailSendX API key, those begin with esx_live_ or esx_test_: ${HOW}`)
}

/** The answer to a request without a key. */
export function noKey(): HttpError {
  return unauthorized(`no EmailSendX API key: ${HOW}`)
}

const HOW = 'send "Authorization: Bearer esx_live_…" with the key from EmailSendX, Settings → API'

export function unauthorized(message: string): HttpError {
  return new HttpError(401, message, { 'www-authenticate': 'Bearer' })
}

function fromAuthorization(header: string | undefined): string | undefined {
  const [, scheme, value] = /^\s*(bearer|basic)\s+(.*)$/i.exec(header ?? '') ?? []
  if (scheme === undefined) return undefined
  return scheme.toLowerCase() === 'bearer' ? value : Buffer.from(value, 'base64').toString().split(':')[0]
}

/** Segment's Extensible Webhook whose authentication was never set up sends the word `undefined` for a key. */
function isGiven(value: unknown): value is string {
  return typeof value === 'string' && !['', 'undefined', 'null'].includes(value.trim())
}

/**
 * Whether `X-Signature` was made with the shared secret: the hex HMAC-SHA1 of one of the texts that Segment's senders sign.
 * They sign the JSON of an event before they wrap, encode and batch it, so that is the whole body, the first event of a batch,
 * that event without its `{json: …}` or `{body: form}`, or (as segmentio/action-destinations#3989 proposes) all events of the
 * batch. The comparison takes the same time wherever a wrong signature differs.
 * @param body as it came, inflated
 * @param items the events in it, of which there is one if it is no batch
 */
export function isSigned(secret: string, signature: unknown, body: Buffer, items: Buffer[]): boolean {
  if (typeof signature !== 'string') return false
  const given = Buffer.from(signature.trim().toLowerCase())
  for (const signed of signedTexts(body, items)) {
    const expected = Buffer.from(createHmac('sha1', secret).update(signed).digest('hex'))
    if (given.length === expected.length && timingSafeEqual(given, expected)) return true
  }
  return false
}

function* signedTexts(body: Buffer, items: Buffer[]): Generator<Buffer | string> {
  yield body
  if (items.length === 0) return
  const [first] = items
  const value = jsonOf(first.toString())
  if (value === undefined) yield* signedForms(first.toString())
  else yield printed(value)
  if (isObject(value) && typeof value.body === 'string') yield* signedForms(value.body)
  if (isObject(value) && 'json' in value) {
    yield printed(value.json)
    yield `[${items.map((item) => WRAPPED.exec(item.toString())?.[1]).join()}]`
  }
}

const WRAPPED = /^{"json":(.*)}$/s

/**
 * The objects a form may have been, as JSON. It does not tell null, true and 1 from the words; objects inside are lost in it, so
 * that nobody can verify such a form.
 */
function* signedForms(form: string): Generator<string> {
  const fields = [...new URLSearchParams(form)]
  yield JSON.stringify(Object.fromEntries(fields))
  yield JSON.stringify(Object.fromEntries(fields.map(([name, word]) => [name, word === 'null' ? null : word])))
  yield JSON.stringify(Object.fromEntries(fields.map(([name, word]) => [name, asTyped(word)])))
}

function asTyped(word: string): unknown {
  const value = /^(null|true|false|-?\d+(\.\d+)?)$/.test(word) ? (JSON.parse(word) as unknown) : word
  return String(value) === word ? value : word
}

/** As the sender printed it; empty, which nobody signs, where the nesting is too deep to print. */
function printed(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    return ''
  }
}
