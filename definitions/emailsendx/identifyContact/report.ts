import type { JSONObject } from '@segment/actions-core'
import type { Reply } from '../api'
import { isObject } from '../errors'
import type { BulkReport } from '../types'

/** The refused contacts of a call with the reason for each, or just their number when the report does not name them. */
export type Refused = Map<string, string> | number

/**
 * Reads what a bulk call says about its rows. Nothing documents that an entry of `errors` names its contact; where as many
 * contacts are named as were refused, be it in `email` or in the text, that saves the search.
 */
export function readReport({ summary, errors }: BulkReport, emails: string[]): Refused {
  const entries = Array.isArray(errors) ? errors : []
  const count = Math.max(0, Number(summary?.failed ?? entries.length) || 0)
  if (count === 0) return new Map()
  const sent = new Set(emails)
  const named = new Map<string, string>()
  for (const entry of entries) {
    const email = emailIn(entry, sent)
    if (email !== undefined) named.set(email, textOf(entry))
  }
  if (count >= emails.length) {
    const reason = emails.length === 1 ? entries.map(textOf).join(' ') : reasonOfAll(entries)
    return new Map(emails.map((email) => [email, named.get(email) ?? reason]))
  }
  return named.size === count ? named : count
}

/** The answer to one contact of several: what the report says of others is nothing for its event. */
export function answerTo({ body, data }: Reply<BulkReport>, reason?: string): JSONObject {
  if (!Array.isArray(data.errors) || data.errors.length === 0) return body
  const errors = reason ? [reason] : []
  return isObject(body.data) ? { ...body, data: { ...body.data, errors } } : { ...body, errors }
}

function emailIn(entry: unknown, sent: Set<string>): string | undefined {
  if (isObject(entry) && typeof entry.email === 'string') {
    const email = entry.email.trim().toLowerCase()
    return sent.has(email) ? email : undefined
  }
  const words = textOf(entry)
    .toLowerCase()
    .split(/[\s"'`()<>[\]{},;:]/)
  const found = new Set(words.map((word) => word.replace(/\.+$/, '')).filter((word) => sent.has(word)))
  return found.size === 1 ? [...found][0] : undefined
}

/** Reasons that may be anybody's, so none that holds an address. */
function reasonOfAll(entries: unknown[]): string {
  const reasons = new Set(entries.map(textOf).filter((text) => text !== '' && !text.includes('@')))
  return [...reasons].slice(0, MAX_REASONS).join(' ')
}

const MAX_REASONS = 3

function textOf(entry: unknown): string {
  const text = isObject(entry) ? entry.message ?? entry.error : entry
  return typeof text === 'string' ? text.trim() : ''
}
