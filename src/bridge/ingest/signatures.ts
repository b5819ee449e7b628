import { createHmac, timingSafeEqual } from 'crypto'
import { isObject } from './json'

/**
 * Whether `X-Signature` was made with the shared secret: the hex HMAC-SHA1 of one of the texts that Segment's senders sign.
 * They sign an event before they wrap and batch it, so that is the whole body, the first event of a batch, the first event
 * inside its `{json: …}` wrapper, or (as segmentio/action-destinations#3989 proposes) all events of the batch.
 * The comparison takes the same time wherever a wrong signature differs.
 * @param text the body as it came, inflated; @param body the same, parsed
 */
export function isSigned(secret: string, signature: unknown, text: string | Buffer, body: unknown): boolean {
  if (typeof signature !== 'string') return false
  const given = Buffer.from(signature.trim().toLowerCase())
  return signedTexts(text, body).some((signed) => {
    const expected = Buffer.from(createHmac('sha1', secret).update(signed).digest('hex'))
    return given.length === expected.length && timingSafeEqual(given, expected)
  })
}

function signedTexts(text: string | Buffer, body: unknown): (string | Buffer)[] {
  if (!Array.isArray(body) || body.length === 0) return [text]
  const unwrapped = body.map((item: unknown) => (isObject(item) && 'json' in item ? item.json : item))
  return [text, printed(body[0]), printed(unwrapped[0]), printed(body), printed(unwrapped)]
}

/** As the sender printed it; empty, which nobody signs, where the nesting is too deep to print. */
function printed(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    return ''
  }
}
