import { isObject } from './json'

/** The body is neither JSON nor, where the content type says so, a form: nobody can tell what was meant. */
export class UnreadableBody extends Error {}

/**
 * Reads a request's text, whatever its content type claims: RudderStack's Node SDK sends gzipped JSON as
 * `application/x-www-form-urlencoded` (axios' default for a Buffer), so the text itself decides, and a form is only tried second.
 * @returns the parsed value; null for an empty text.
 * @throws UnreadableBody
 */
export function parseBody(text: string, contentType = ''): unknown {
  const trimmed = text.charCodeAt(0) === 0xfeff ? text.slice(1).trim() : text.trim()
  if (trimmed === '') return null
  try {
    return JSON.parse(trimmed)
  } catch {
    if (/^application\/x-www-form-urlencoded/i.test(contentType.trim()) && trimmed.includes('='))
      return parseForm(trimmed)
    throw new UnreadableBody('the body is not JSON')
  }
}

/**
 * The events of a request, whatever they are wrapped in: one event, an array of events, an array of `{json: event}` or
 * `{body: 'a=b&…'}` (how Segment's Extensible Webhook batches), or the `{batch: […]}` of the SDKs.
 */
export function unwrap(body: unknown): unknown[] {
  if (Array.isArray(body)) return body.map(unwrapItem)
  if (!isObject(body) || !Array.isArray(body.batch)) return [unwrapItem(body)]
  const { context, integrations, sentAt, batch } = body
  return batch.map((item: unknown) => {
    if (!isObject(item)) return item
    // Segment's HTTP API merges the batch's own context and integrations into each of its events.
    return {
      ...(sentAt !== undefined && { sentAt }),
      ...item,
      ...(isObject(context) && { context: { ...context, ...(isObject(item.context) && item.context) } }),
      ...(isObject(integrations) && {
        integrations: { ...integrations, ...(isObject(item.integrations) && item.integrations) }
      })
    }
  })
}

function unwrapItem(item: unknown): unknown {
  if (!isObject(item) || 'type' in item) return item
  if (Object.keys(item).length === 1) {
    if ('json' in item) return item.json
    if (typeof item.body === 'string') return parseForm(item.body)
  }
  return item
}

function parseForm(text: string): unknown {
  const fields = [...new URLSearchParams(text)].map(([name, value]) => [name, fromForm(value)])
  return Object.fromEntries(fields)
}

/** A form knows only text: `new URLSearchParams(event)`, which is what Segment's sender runs, writes null as the word. */
function fromForm(value: string): string | null {
  return value === 'null' || value === 'undefined' ? null : value
}
