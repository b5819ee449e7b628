import { z } from 'zod'
import { HttpError } from '../http/errors'
import { isObject, type JsonObject } from '../http/json'
import { assumed } from './assumptions'

export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

export const badRequest = (message: string) => new HttpError(400, message)
export const notFound = (message: string) => new HttpError(404, message)

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads a body: JSON in UTF-8, or undefined when there is none. Keys such as `__proto__` stay plain data.
 * @throws HttpError 400
 */
export function parseJson(bytes: Buffer): unknown {
  if (!bytes.length) return undefined
  let body: unknown
  try {
    body = JSON.parse(utf8.decode(bytes))
  } catch {
    throw new HttpError(assumed.malformed.value, 'Request body is not valid JSON')
  }
  if (deeperThan(assumed.depthMaximum.value, body)) {
    throw badRequest(`Request body is nested more than ${assumed.depthMaximum.value} levels deep`)
  }
  return body
}

function deeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((child) => deeperThan(levels - 1, child))
}

export const jsonObject = z.custom<JsonObject>(isObject, { error: 'must be a JSON object' })

/**
 * Checks a body against its shape.
 * @throws HttpError 400 whose message names the first field that is wrong
 */
export function parseBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const result = check(schema, body)
  if (result.ok) return result.value
  throw badRequest(result.message)
}

type Checked<T> = { ok: true; value: T } | { ok: false; message: string }

/** As {@link parseBody}, without throwing. */
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

/** Query parameters, each once. */
export type Query = Record<string, string | undefined>

/** The first value of every parameter; broken percent-encoding is kept as it is rather than refused. */
export function parseQuery(text: string): Query {
  const query = Object.create(null) as Query
  for (const [name, value] of new URLSearchParams(text)) query[name] ??= value
  return query
}

/** The path of a request target, without its query. */
export function pathOf(url: string): string {
  return url.split('?', 1)[0]
}

/** The slice of a collection a caller asked for. */
export interface Paging {
  page: number
  limit: number
  /** Rows before the slice. */
  offset: number
}

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 100
const MAX_PAGE = 1_000_000_000

/** @throws HttpError 400 naming the parameter */
export function paging(query: Query): Paging {
  const page = positiveInteger('page', query.page, 1, MAX_PAGE)
  const limit = positiveInteger('limit', query.limit, DEFAULT_LIMIT, MAX_LIMIT)
  return { page, limit, offset: (page - 1) * limit }
}

function positiveInteger(name: string, text: string | undefined, fallback: number, maximum: number): number {
  if (text === undefined) return fallback
  const value = /^\d{1,10}$/.test(text) ? Number(text) : 0
  if (value >= 1 && value <= maximum) return value
  throw new HttpError(assumed.limit.value, `${name} must be an integer from 1 to ${maximum}`)
}

/** The list envelope of the API. */
export function envelope<T>(data: T[], total: number, { page, limit }: Paging) {
  return { data, pagination: { page, limit, total, totalPages: Math.ceil(total / limit) } }
}
