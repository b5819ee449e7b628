/* eslint-disable @typescript-eslint/no-explicit-any -- settings and payloads are what the served destination declares */
import { Destination } from '@segment/actions-core'
import type {
  DestinationDefinition,
  DynamicFieldResponse,
  ModifiedResponse,
  RequestFn,
  RequestOptions
} from '@segment/actions-core'

/** The destination being served, whatever its settings. */
export type Definition = DestinationDefinition<any>
/** The definition as core runs it. */
export type RunningDestination = Destination<any, any>
/** Gives the choices of a dynamic field. */
export type ChoicesFn = RequestFn<any, any, DynamicFieldResponse>

/** One request of the destination and its answer, in the words of Segment's own local server. */
export interface Exchange {
  request: { url: string; method: string; headers: Record<string, string>; body: string }
  response: { statusCode: number; statusMessage: string; headers: Record<string, string>; body: unknown }
}

/** The request headers whose value is never shown: the list of Segment's `packages/cli/src/lib/summarize-http.ts`. */
const SECRET_HEADERS = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'www-authenticate',
  'proxy-authenticate',
  'x-csrf-token',
  'x-xsrf-token',
  'x-api-key',
  'x-client-id',
  'x-uid',
  'x-requested-with',
  'x-forwarded-for',
  'x-real-ip',
  'x-amz-security-token',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-user-agent'
])

type Recorded = [request: Request, response: ModifiedResponse]
type RecordingOptions = RequestOptions & {
  afterResponse?: ((request: Request, options: unknown, response: ModifiedResponse) => void)[]
}

/**
 * A destination for one call, and the exchanges that call makes. Nothing is shared with other calls, so calls at the same
 * time never see each other's requests. `extendRequest` is the one place every request goes through: actions as well as
 * authentication, deletion, audiences and token refresh, which never emit core's `response` event.
 */
export function recordingDestination(definition: Definition): {
  destination: RunningDestination
  exchanges: () => Promise<Exchange[]>
} {
  const recorded: Recorded[] = []
  const destination = new Destination({
    ...definition,
    extendRequest(data) {
      const options: RecordingOptions = definition.extendRequest?.(data) ?? {}
      const record = (request: Request, _options: unknown, response: ModifiedResponse) => {
        recorded.push([request, response])
      }
      return { ...options, afterResponse: [...(options.afterResponse ?? []), record] } as RequestOptions
    }
  })
  return { destination, exchanges: () => Promise.all(recorded.map(summarize)) }
}

async function summarize([request, response]: Recorded): Promise<Exchange> {
  const headers: Record<string, string> = {}
  request.headers.forEach((value, name) => {
    headers[name] = SECRET_HEADERS.has(name) ? '<redacted>' : value
  })
  return {
    request: { url: request.url, method: request.method, headers, body: await request.clone().text() },
    response: {
      statusCode: response.status,
      statusMessage: response.statusText,
      headers: response.headers.toJSON(),
      body: response.data ?? response.content
    }
  }
}
