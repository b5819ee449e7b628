import type { IncomingHttpHeaders } from 'node:http'
import { isObject, jsonOf, type JsonObject } from '../http/json'
import { isLoopback } from '../http/loopback'

/** What the API answered, whatever the status. */
export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  /** The whole body, parsed; undefined when it is no JSON. */
  body: unknown
}

export interface Call {
  query?: Record<string, string | number> | URLSearchParams
  /** Sent as JSON. */
  json?: unknown
  /** Sent as it is. */
  text?: string
  headers?: Record<string, string | undefined>
  /** How often to try again after a 429, each time after its `Retry-After`. Default: never. */
  retries?: number
}

const MAX_WAIT_MS = 30_000
/** A minute is the longest that the documented limit makes a call wait. */
const MAX_RETRY_AFTER_MS = 65_000

/** One EmailSendX account, as its API key opens it. */
export interface Account {
  origin: string
  /** @param path below `/api/v1/`, or from the root when it starts with `/` @throws RequestError of got when there is no answer */
  call(method: 'GET' | 'POST' | 'PUT', path: string, call?: Call): Promise<Answer>
}

export async function openAccount(apiUrl: string, apiKey: string): Promise<Account> {
  const origin = apiOrigin(apiUrl)
  // An ESM package: TypeScript lets CommonJS have it in no other way.
  const { got } = await import('got')
  // Every status is an answer, a redirect too; only a request that got none throws, with a `code` that says why.
  const client = got.extend({ throwHttpErrors: false, followRedirect: false, timeout: { request: MAX_WAIT_MS } })
  return {
    origin,
    async call(method, path, { query, json, text, headers, retries = 0 } = {}) {
      const response = await client(new URL(path.startsWith('/') ? path : `/api/v1/${path}`, origin), {
        method,
        searchParams: query,
        body: text ?? (json === undefined ? undefined : JSON.stringify(json)),
        headers: {
          accept: 'application/json',
          authorization: `Bearer ${apiKey}`,
          ...((text ?? json) !== undefined && { 'content-type': 'application/json' }),
          ...headers
        },
        retry: {
          limit: retries,
          methods: ['GET', 'POST'],
          statusCodes: [429],
          errorCodes: [],
          maxRetryAfter: MAX_RETRY_AFTER_MS
        }
      })
      return { status: response.statusCode, headers: response.headers, body: jsonOf(response.body) }
    }
  }
}

/** What stands in `data`, or the whole body where there is none. */
export const dataOf = ({ body }: Answer): unknown => (isObject(body) && 'data' in body ? body.data : body)

/** That as an object; empty where it is none. */
export function objectOf(answer: Answer): JsonObject {
  const data = dataOf(answer)
  return isObject(data) ? data : {}
}

/** That as rows; none where it is no array. */
export function rowsOf(answer: Answer): JsonObject[] {
  const data = dataOf(answer)
  return Array.isArray(data) ? data.filter(isObject) : []
}

/** The API's own words for a refusal. */
export function refusalOf({ status, body }: Answer): string {
  const said = isObject(body) ? body.error : undefined
  return typeof said === 'string' && said !== '' ? `${status} ${said}` : `${status} without a reason`
}

/**
 * The origin of a server from what somebody typed: `https://` is added where missing, `/api/v1` taken off.
 * @throws for anything that would send the key unencrypted, or that is no address
 */
function apiOrigin(text: string): string {
  const address = text.includes('://') ? text : `https://${text}`
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (!url || !/^\/*(api\/v1)?\/*$/.test(url.pathname) || url.search || url.username) {
    throw new Error('--api-url must be the address of a server, such as https://emailsendx.com')
  }
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) return url.origin
  throw new Error('--api-url must start with https://: the key would go unencrypted')
}
