import type { IncomingHttpHeaders } from 'http'

/** Why a request has no usable key, in words for whoever sets the sender up. */
export type KeyProblem = { problem: string }

const SHAPE = /^esx_[\w-]{4,200}$/

/**
 * The EmailSendX API key of a request: `Authorization: Bearer KEY`, `Authorization: Basic base64(KEY:)` (Segment's partner
 * sender and all SDKs), or `x-api-key: KEY`, in this order.
 * @param writeKey the `writeKey` inside the body, which SDKs may use instead of a header
 */
export function readKey(headers: IncomingHttpHeaders, writeKey?: unknown): { key: string } | KeyProblem {
  const given = [fromAuthorization(headers.authorization), headers['x-api-key'], writeKey].find(isGiven)
  if (given === undefined) return { problem: `no EmailSendX API key: ${HOW}` }
  const key = given.trim()
  return SHAPE.test(key)
    ? { key }
    : { problem: `not an EmailSendX API key, those begin with esx_live_ or esx_test_: ${HOW}` }
}

const HOW = 'send "Authorization: Bearer esx_live_…" with the key from EmailSendX, Settings → API'

function fromAuthorization(header: string | undefined): string | undefined {
  const [, scheme, value] = /^\s*(bearer|basic)\s+(.*)$/i.exec(header ?? '') ?? []
  if (scheme === undefined) return undefined
  return scheme.toLowerCase() === 'bearer' ? value : Buffer.from(value, 'base64').toString().split(':')[0]
}

/** Segment's Extensible Webhook whose authentication was never set up sends the word `undefined` for a key. */
function isGiven(value: unknown): value is string {
  return typeof value === 'string' && !['', 'undefined', 'null'].includes(value.trim())
}
