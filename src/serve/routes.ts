import uniqBy from 'lodash/uniqBy'
import { action, dynamicFields, hooks } from './action-routes'
import type { Definition } from './definition'
import { audience, authentication, deletion, refresh } from './destination-routes'
import type { Route } from './route'

/** Every route of the contract, in the order the original registers them. The first of two equal paths wins. */
export function routes(definition: Definition, directoryName: string): Route[] {
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
