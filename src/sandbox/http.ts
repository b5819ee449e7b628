import { z } from 'zod'
import { assumed } from './assumptions'

export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

/** An answer other than 2xx: `{"error": message}` with the given status. */
export class ApiError extends Error {
  constructor(readonly status: number, message: string, readonly headers: Record<string, string> = {}) {
    super(message)
  }
}

export const badRequest = (message: string) => new ApiError(400, message)
export const notFound = (message: string) => new ApiError(404, message)

/** A JSON object with whatever keys; `__proto__` among them is plain data. */
export type JsonObject = { [key: string]: unknown }

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const jsonObject = z.custom<JsonObject>(isJsonObject, { error: 'must be a JSON object' })

/** Query parameters, each once. */
export type Query = Record<string, string | undefined>

/** The first value of every parameter; broken percent-encoding is kept as it is rather than refused. */
export function parseQuery(text: string): Query {
  const query = Object.create(null) as Query
  for (const [name, value] of new URLSearchParams(text)) query[name] ??= value
  return query
}

/** The slice of a collection a caller asked for. */
export interface Paging {
  page: number
  limit: number
}

const DEFAULT_LIMIT = 50
const MAXIMUM_LIMIT = 100

/** @throws ApiError 400 naming the parameter */
export function paging(query: Query): Paging {
  return {
    page: positiveInteger('page', query.page, 1, 1_000_000_000),
    limit: positiveInteger('limit', query.limit, DEFAULT_LIMIT, MAXIMUM_LIMIT)
  }
}

function positiveInteger(name: string, text: string | undefined, fallback: number, maximum: number): number {
  if (text === undefined) return fallback
  const value = /^\d{1,10}$/.test(text) ? Number(text) : 0
  if (value >= 1 && value <= maximum) return value
  throw new ApiError(assumed.limit.value, `${name} must be an integer from 1 to ${maximum}`)
}

/** The list envelope of the API: `{data, pagination}`. */
export function envelope<T>(data: T[], total: number, { page, limit }: Paging) {
  return { data, pagination: { page, limit, total, totalPages: Math.ceil(total / limit) } }
}

/** The slice of a collection that is small enough to be held as an array. */
export function pageOf<T>(rows: readonly T[], slice: Paging) {
  const start = (slice.page - 1) * slice.limit
  return envelope(rows.slice(start, start + slice.limit), rows.length, slice)
}

/**
 * Checks a body against its shape.
 * @throws ApiError 400 whose message names the first field that is wrong
 */
export function parseBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const result = check(schema, body)
  if (result.ok) return result.value
  throw badRequest(result.message)
}

type Checked<T> = { ok: true; value: T } | { ok: false; message: string }

/** As {@link parseBody}, but tells instead of throwing. */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  body: unknown,
  subject = 'body'
): Checked<z.output<Schema>> {
  const result = schema.safeParse(body, { error: wording })
  if (result.success) return { ok: true, value: result.data }
  const [issue] = result.error.issues
  const { message } = issue.code === 'invalid_key' ? issue.issues[0] : issue
  const field = issue.path.map(String).join('.')
  return { ok: false, message: `${field || subject} ${message}` }
}

const EXPECTED: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  int: 'an integer',
  boolean: 'true or false',
  array: 'an array',
  object: 'a JSON object',
  record: 'a JSON object'
}

function wording(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is required'
      return `must be ${EXPECTED[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`
    case 'unrecognized_keys':
      return `has a field that does not exist here: ${issue.keys.join(', ')}`
    case 'too_small':
      return issue.origin === 'number' ? `must be at least ${issue.minimum}` : 'must not be empty'
    case 'too_big':
      return issue.origin === 'number'
        ? `must be at most ${issue.maximum}`
        : `must not have more than ${issue.maximum} entries`
    default:
      return undefined
  }
}

/** The path of a request target, without its query. */
export function pathOf(url: string): string {
  return url.split('?', 1)[0]
}
