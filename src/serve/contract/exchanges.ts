/* eslint-disable @typescript-eslint/no-explicit-any -- settings and payloads are what the served destination declares */
import { Destination, MultiStatusResponse } from '@segment/actions-core'
import type {
  ActionDefinition,
  DestinationDefinition,
  DynamicFieldResponse,
  ModifiedResponse,
  RequestClient,
  RequestFn,
  RequestOptions
} from '@segment/actions-core'
import mapValues from 'lodash/mapValues'
import omit from 'lodash/omit'
import type { Outcome } from '../../../definitions/emailsendx/outcome'
import type { Meaning } from './errors'

/** The destination being served, whatever its settings. */
export type Definition = DestinationDefinition<any>
/** The definition as core runs it. */
export type RunningDestination = Destination<any, any>
/** Gives the choices of a dynamic field. */
export type ChoicesFn = RequestFn<any, any, DynamicFieldResponse>

/** One request of the destination and its answer, in the words of Segment's own local server. */
export interface Exchange {
  request: { url: string; method: string; headers: Record<string, string>; body: string }
  /** Absent where none came. */
  response?: { statusCode: number; statusMessage: string; headers: Record<string, string>; body: unknown }
  /** When the request was made (ms since 1970) and how long the answer took; known of what actions send. */
  timing?: { at: number; ms: number }
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

type RecordingOptions = RequestOptions & {
  afterResponse?: ((request: Request, options: { call?: number }, response: ModifiedResponse) => void)[]
}

/** What one call made of the definition. */
export interface Recording {
  destination: RunningDestination
  exchanges: () => Promise<Exchange[]>
  /** Of a single event, where the destination reports outcomes. Rows of a batch have theirs in `outcome`. */
  outcome: () => Meaning | undefined
}

/**
 * A destination for one call, and what that call does. Nothing is shared with other calls, so calls at the same time never
 * see each other's requests. `extendRequest` is the one place every request goes through: actions as well as
 * authentication, deletion, audiences and token refresh, which never emit core's `response` event.
 */
export function recordingDestination(definition: Definition): Recording {
  const answered: Answered[] = []
  const open = new Map<number, Pick<Exchange, 'request'> & { at: number }>()
  let calls = 0
  let single: Meaning | undefined
  const listener: Listener = {
    outcome: (outcome) => (single = outcome),
    asked: (url, { method = 'GET', json }) => {
      const body = json === undefined ? '' : JSON.stringify(json)
      open.set(++calls, { request: { url, method, headers: {}, body }, at: Date.now() })
      return calls
    }
  }
  const destination = new Destination({
    ...definition,
    actions: mapValues(definition.actions, (action) => reporting(action, listener)),
    extendRequest(data) {
      const options: RecordingOptions = definition.extendRequest?.(data) ?? {}
      const record = (request: Request, { call = 0 }: { call?: number }, response: ModifiedResponse) => {
        const at = open.get(call)?.at
        open.delete(call)
        answered.push({ request, response, timing: at === undefined ? undefined : { at, ms: Date.now() - at } })
      }
      return { ...options, afterResponse: [...(options.afterResponse ?? []), record] } as RequestOptions
    }
  })
  const exchanges = async (): Promise<Exchange[]> => [
    ...(await Promise.all(answered.map(summarize))),
    ...[...open.values()].map(({ request, at }) => ({ request, timing: { at, ms: Date.now() - at } }))
  ]
  return { destination, exchanges, outcome: () => single }
}

/** Where EmailSendX's destination leaves the outcomes of what it hands to Segment: see its render.ts. */
const OUTCOMES = Symbol.for('emailsendx.outcomes')
const outcomesOf = (rendered: unknown): Meaning[] | undefined =>
  (rendered as { [OUTCOMES]?: Outcome[] } | undefined)?.[OUTCOMES]?.map((outcome) =>
    omit(outcome, 'status', 'answer', 'pace')
  )

interface Listener {
  outcome: (outcome?: Meaning) => void
  /** @returns the number that the request is known by */
  asked: (url: string, options: RequestOptions) => number
}

/** The action, which also tells what it asks and the outcome of a single event, and puts those of a batch in its rows. */
function reporting(action: ActionDefinition<any>, listener: Listener): ActionDefinition<any> {
  const { perform, performBatch } = action
  const note = (rendered: unknown) => listener.outcome(outcomesOf(rendered)?.[0])
  const told =
    (client: RequestClient): RequestClient =>
    (url: string, options: RequestOptions = {}) =>
      client(url, { ...options, call: listener.asked(url, options) } as RequestOptions)
  return {
    ...action,
    perform: async (request, data) => {
      try {
        const answer: unknown = await perform(told(request), data)
        note(answer)
        return answer
      } catch (error) {
        note(error)
        throw error
      }
    },
    performBatch: performBatch && (async (request, data) => ownMultiStatus(await performBatch(told(request), data)))
  }
}

/**
 * The rows of a batch as this server's copy of core knows them: to it, a response made with the definition's copy is none, and
 * every row would count as delivered.
 */
function ownMultiStatus(rendered: unknown): unknown {
  const rows = (rendered as Partial<MultiStatusResponse> | undefined)?.getAllResponses?.()
  if (!rows) return rendered
  const outcomes = outcomesOf(rendered)
  const own = new MultiStatusResponse()
  for (const [index, row] of rows.entries()) {
    const value = { ...row.value(), ...(outcomes && { outcome: outcomes[index] }) }
    if ('errormessage' in value) own.setErrorResponseAtIndex(index, value)
    else own.setSuccessResponseAtIndex(index, value)
  }
  return own
}

interface Answered extends Pick<Exchange, 'timing'> {
  request: Request
  response: ModifiedResponse
}

async function summarize({ request, response, timing }: Answered): Promise<Exchange> {
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
    },
    timing
  }
}
