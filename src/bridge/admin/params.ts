import { z } from 'zod'
import { HttpError } from '../../http/errors'
import { DEAD_REASONS } from '../queue'
import type { DeadLetterFilter } from '../queue'
import { parseMoment } from '../units'

const id = z.coerce.number('is no id').pipe(z.int('is no id').positive('is no id'))
const partition = z.string().regex(/^[\w-]{4,100}$/, 'is no short name of a key')
const limit = z.coerce.number('must be a number').pipe(z.int('must be a whole number').min(1).max(1_000)).default(100)
const moment = z.string().transform((text, context) => {
  const time = parseMoment(text)
  if (time !== undefined) return time
  context.addIssue('must be a time such as 2026-01-15T10:00:00Z, or a duration ago such as 2h')
  return z.NEVER
})

const filter = {
  partition: partition.optional(),
  reason: z.enum(DEAD_REASONS, `must be one of ${DEAD_REASONS.join(', ')}`).optional(),
  type: z.enum(['identify', 'track', 'rejected'], 'must be identify, track or rejected').optional(),
  messageId: z.string().optional(),
  since: moment.optional(),
  until: moment.optional()
}

export const params = {
  one: z.object({ id }),
  key: z.object({ partition }),
  keys: z.strictObject({ partition: partition.optional(), suspended: z.stringbool().optional(), limit }),
  waiting: z.strictObject({ after: id.optional(), limit }),
  letters: z.strictObject({ ...filter, before: id.optional(), limit }),
  /** Of something that changes what it is told: all of it only when told so. */
  bulk: z.strictObject({ ...filter, all: z.stringbool().optional() }),
  report: z.strictObject({ partition: partition.optional() }),
  person: z
    .strictObject({ email: z.string().optional(), userId: z.string().optional(), partition: partition.optional() })
    .refine(({ email, userId }) => (email === undefined) !== (userId === undefined), 'give email or userId')
}

/** @throws HttpError 400 that names the parameter */
export function parse<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const result = schema.safeParse(given)
  if (result.success) return result.data
  const [{ path, message }] = result.error.issues
  throw new HttpError(400, path.length > 0 ? `${path.join('.')} ${message}` : message)
}

/** @throws HttpError 400 when it is everything, and that was not said */
export function bulkFilter(query: unknown): DeadLetterFilter {
  const { all, ...given } = parse(params.bulk, query)
  if (!all && Object.values(given).every((condition) => condition === undefined)) {
    throw new HttpError(400, 'say which ones: a filter such as reason, or all=true')
  }
  return given
}
