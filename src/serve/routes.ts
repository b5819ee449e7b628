import type { DestinationDefinition } from '@segment/actions-core'
import uniqBy from 'lodash/uniqBy'
import { action, dynamicFields, hooks } from './action-routes'
import type { Body } from './body'
import { audience, authentication, deletion, refresh } from './destination-routes'

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

/** Every route of the contract, in the order the original registers them. The first of two equal paths wins. */
export function routes(definition: DestinationDefinition<any>, directoryName: string): Route[] {
  const actions = Object.keys(definition.actions)
  const all: Route[] = [
    { method: 'GET', path: '/manifest', handle: async () => ({ status: 200, body: { ...definition, directoryName } }) },
    ...deletion(definition),
    authentication(definition, '/authenticate'),
    authentication(definition, '/authentication'),
    ...audience(definition, 'createAudience'),
    ...audience(definition, 'getAudience'),
    refresh(definition),
    ...actions.map((slug) => action(definition, slug)),
    ...actions.flatMap((slug) => [...dynamicFields(definition, slug), ...hooks(definition, slug)])
  ]
  return uniqBy(all, ({ path }) => path.toLowerCase())
}

/** The routes as the original prints them on start, without the manifest. */
export function routeLines(all: Route[]): string[] {
  return all.filter(({ path }) => path !== '/manifest').map(({ method, path }) => `  ${method} ${path}`)
}
