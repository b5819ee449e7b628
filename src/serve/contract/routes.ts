import type { AudienceDestinationDefinition, JSONObject, SegmentEvent } from '@segment/actions-core'
import uniqBy from 'lodash/uniqBy'
import { action, dynamicFields, hooks } from './action-routes'
import { readCredentials, readDestinationCall, readSettingsAnywhere } from './body'
import type { Body } from './body'
import { errorText } from './errors'
import type { ErrorFacts } from './errors'
import type { Definition } from './exchanges'
import { callReply, plainRoute, runCall } from './route'
import type { Reply, Route } from './route'

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

/** `POST /delete`, where the destination can delete. */
function deletion(definition: Definition): Route[] {
  if (!definition.onDelete) return []
  const run = (body: Body) =>
    runCall(definition, body, async (destination) => {
      const { payload, settings } = readDestinationCall(body)
      const result = await destination.onDelete?.(payload as JSONObject & SegmentEvent, settings)
      return [{ status: 200, sent: payload, body: result }]
    })
  return [{ method: 'POST', path: '/delete', handle: async (body, options) => callReply(await run(body), options) }]
}

/** `POST /authenticate`: the status is always 200, `ok` tells. */
function authentication(definition: Definition, path: string): Route {
  return plainRoute(
    definition,
    path,
    async (destination, body) => {
      await destination.testAuthentication(readSettingsAnywhere(body))
      return { ok: true }
    },
    (error) => ({ status: 200, body: { ok: false, error: errorText(error), fields: error.fields ?? {} } })
  )
}

/** `POST /createAudience` and `POST /getAudience`, where the destination has them. */
function audience(definition: Definition, call: 'createAudience' | 'getAudience'): Route[] {
  const { audienceConfig } = definition as Partial<AudienceDestinationDefinition>
  if (!audienceConfig || !(call in audienceConfig)) return []
  return [
    plainRoute(definition, `/${call}`, async (destination, body) => destination[call](readDestinationCall(body)), notOk)
  ]
}

/** `POST /refreshAccessToken`. The original reads client id, secret and tokens at the root of the body. */
function refresh(definition: Definition): Route {
  return plainRoute(
    definition,
    '/refreshAccessToken',
    async (destination, body) => {
      const { settings } = readDestinationCall(body)
      return { ok: true, data: await destination.refreshAccessToken(settings, readCredentials(body)) }
    },
    notOk
  )
}

const notOk = (error: ErrorFacts): Reply => ({ status: 400, body: { ok: false, error: error.message } })
