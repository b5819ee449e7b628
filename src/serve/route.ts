import type { Body } from './body'

/** What a client may ask for besides the original's answer. */
export interface Wishes {
  /** Answer with the requests made and what became of each event, where the original gives one of them or neither. */
  multistatus: boolean
  /** Send the event the way Segment's platform does: settings and subscription are checked first. */
  subscription: boolean
}

export interface Answer {
  status: number
  body: unknown
}

export interface Route {
  method: 'GET' | 'POST'
  /** A path of the router. A `*` at its end stands for the rest of a name. */
  path: string
  /** `rest` is what the `*` stood for. Rejects only for faults of this server. */
  handle: (body: Body, wishes: Wishes, rest: string) => Promise<Answer>
}
