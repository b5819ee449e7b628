import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { HttpError } from '../../http/errors'
import type { DeliveryOptions } from '../event'

const HEADER = 'x-emailsendx-'

const optionsSchema = z.strictObject({
  listId: z
    .string()
    .regex(/^[\w.:-]{1,200}$/, 'is no list id; it looks like clx1a2b3c4d5e6f7g8h9i0j, and "none" means no list')
    .optional(),
  eventNameForm: z.enum(['normalized', 'as_sent'], 'is normalized or as_sent').optional(),
  unknownContact: z.enum(['wait', 'create', 'skip'], 'is wait, create or skip').optional(),
  maxAgeHours: z.coerce
    .number('is a number of hours')
    .min(1, 'is at least 1')
    .max(876_000, 'is at most 876000')
    .optional()
})

const names = Object.keys(optionsSchema.shape)

/**
 * How the events of a request are to be delivered: query parameters (`?listId=…&maxAgeHours=24`), else headers
 * (`x-emailsendx-list-id: …`). Case, dashes and underscores in the names do not matter.
 * @throws HttpError 400 when one is unknown, given twice or has a wrong value
 */
export function readOptions(
  query: Record<string, string | string[] | undefined>,
  headers: IncomingHttpHeaders
): DeliveryOptions {
  const given: Record<string, unknown> = {}
  for (const [header, value] of Object.entries(headers)) {
    if (header.startsWith(HEADER)) given[properName(header.slice(HEADER.length))] = value
  }
  for (const [parameter, value] of Object.entries(query)) given[properName(parameter)] = value
  const parsed = optionsSchema.safeParse(given)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  if (issue.code === 'unrecognized_keys') {
    // What is named is told and logged, and a stranger's name for an option may be an address or a key.
    const unknown = issue.keys.filter((key) => /^[\w-]{1,30}$/.test(key)).join(', ')
    throw new HttpError(400, `unknown option ${unknown}: the options are ${names.join(', ')}`)
  }
  const name = String(issue.path[0])
  throw new HttpError(400, `option ${name} ${Array.isArray(given[name]) ? 'is given twice' : issue.message}`)
}

function properName(name: string): string {
  const plain = name.replace(/[-_]/g, '').toLowerCase()
  return names.find((proper) => proper.toLowerCase() === plain) ?? name
}
