import isPlainObject from 'lodash/isPlainObject'
import type { Body } from './body'
import { errorFacts, errorOutput, errorStatus } from './errors'
import type { ErrorFacts, EventStatus } from './errors'
import { recordingDestination } from './exchanges'
import type { Definition, Exchange, RunningDestination } from './exchanges'

/** What a client may ask for besides the original's answer. */
export interface CallOptions {
  /** Answer with the requests made and what became of each event, where the original gives one of them or neither. */
  multistatus: boolean
  /** Send the event the way Segment's platform does: settings and subscription are checked first. */
  subscription: boolean
}

export interface Reply {
  status: number
  body: unknown
}

export interface Route {
  method: 'GET' | 'POST'
  /** A path of the router. A `*` at its end stands for the rest of a name. */
  path: string
  /** `rest` is what the `*` stood for. Rejects only for faults of this server. */
  handle: (body: Body, options: CallOptions, rest: string) => Promise<Reply>
}

/** Everything one call did: its requests, what became of each event in the order given, and the error if it threw. */
export interface CallResult {
  exchanges: Exchange[]
  multistatus: EventStatus[]
  error?: ErrorFacts
}

/** Runs a call on its own destination. Never throws: a call that fails wholly gives every event of `payload` its error. */
export async function runCall(
  definition: Definition,
  { payload }: Body,
  run: (destination: RunningDestination) => Promise<EventStatus[]>
): Promise<CallResult> {
  const { destination, exchanges, outcome } = recordingDestination(definition)
  const told = (rows: EventStatus[]) => {
    const single = Array.isArray(payload) ? undefined : outcome()
    return single ? rows.map((row) => ({ ...row, outcome: single })) : rows
  }
  try {
    const multistatus = told(await run(destination))
    return { exchanges: await exchanges(), multistatus }
  } catch (thrown) {
    const facts = errorFacts(thrown)
    const events = Array.isArray(payload) ? payload : [payload]
    return { exchanges: await exchanges(), multistatus: told(events.map(() => errorStatus(facts))), error: facts }
  }
}

/**
 * The original's answer: the exchanges, or the error alone. With `multistatus` all of the result, where the error has the
 * status the platform gives it and no stack.
 */
export function callReply(
  { exchanges, multistatus, error }: CallResult,
  options: Pick<CallOptions, 'multistatus'>
): Reply {
  if (!options.multistatus) {
    return {
      status: 200,
      body: error
        ? [errorOutput(error)]
        : exchanges.filter(({ response }) => response).map(({ request, response }) => ({ request, response }))
    }
  }
  const shown = error && errorOutput({ ...error, status: error.platformStatus, stack: undefined })
  return { status: 200, body: { exchanges, multistatus, error: shown } }
}

/**
 * A route that answers 200 with what `run` resolves to, and what `refuse` makes of its error. With `multistatus` an answer that
 * is an object also has the requests made, as `exchanges`.
 */
export function plainRoute(
  definition: Definition,
  path: string,
  run: (destination: RunningDestination, body: Body, rest: string) => Promise<unknown>,
  refuse: (error: ErrorFacts) => Reply
): Route {
  return {
    method: 'POST',
    path,
    handle: async (body, options, rest) => {
      const { destination, exchanges } = recordingDestination(definition)
      const reply = await run(destination, body, rest).then(
        (result): Reply => ({ status: 200, body: result }),
        (thrown) => refuse(errorFacts(thrown))
      )
      if (!options.multistatus || !isPlainObject(reply.body)) return reply
      return { status: reply.status, body: Object.assign({}, reply.body, { exchanges: await exchanges() }) }
    }
  }
}
