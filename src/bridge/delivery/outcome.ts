import type { Item } from './identity-links'

/** What the destination says became of one event: a row of its multistatus. */
export interface Row {
  status: number
  errormessage?: string
  errortype?: string
}

/** An answer of EmailSendX to one of the requests of a call. */
export interface Exchange {
  method: string
  status: number
}

/** What the destination did in one call. */
export interface Trace {
  type: 'identify' | 'track'
  exchanges: Exchange[]
  /** The request that fires the event was begun. */
  fired: boolean
}

export type Verdict =
  | { is: 'delivered' }
  /** For good. `words` say why, EmailSendX's own where it spoke. */
  | { is: 'refused'; words: string }
  | { is: 'unknown contact' }
  /** Not now: no fault of the event as far as anybody can tell. */
  | { is: 'failed'; words: string }
  /** It was fired, and nobody knows whether it arrived. */
  | { is: 'unknown outcome'; words: string }
  | { is: 'key refused'; status: 401 | 403; words: string }

/** Decides from a row and what went over the wire what becomes of an event. */
export function classify(item: Item, row: Row, trace: Trace): Verdict {
  const { status } = row
  const words = row.errormessage ?? `The destination reported ${status} without a reason.`
  if (status >= 200 && status < 300) return { is: 'delivered' }
  if (status === 401 || status === 403) return { is: 'key refused', status, words }
  if (isTemporary(status) && wasFiredInTheDark(trace)) return { is: 'unknown outcome', words }
  if (isTemporary(status) || isAddressWrong(item, row, trace)) return { is: 'failed', words }
  if (status === 404 && trace.type === 'track') return { is: 'unknown contact' }
  return { is: 'refused', words }
}

function isTemporary(status: number): boolean {
  return status === 408 || status === 423 || status === 425 || status === 429 || status >= 500
}

/**
 * The event went out, and what came back (nothing, a gateway that had not heard back either, or no JSON) leaves open
 * whether it had its effect.
 */
function wasFiredInTheDark({ type, fired, exchanges }: Trace): boolean {
  if (type !== 'track' || !fired) return false
  const last = exchanges[exchanges.length - 1]
  if (!last) return true
  const isSuccess = last.status >= 200 && last.status < 300
  // After a successful look-up the next request is the one that fires.
  return isSuccess || (last.method === 'POST' && last.status === 504)
}

/**
 * The bridge is pointed at the wrong place: the destination can't use the address or was redirected (it says so with this
 * type), or there was a 404 where nothing but the path can be unknown.
 */
function isAddressWrong({ event }: Item, { errortype }: Row, { type, exchanges }: Trace): boolean {
  if (errortype === 'BAD_REQUEST') return true
  return exchanges.some(({ method, status }) => {
    return status === 404 && (type === 'identify' ? event.options.listId === undefined : method === 'GET')
  })
}
