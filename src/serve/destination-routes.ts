import type { AudienceDestinationDefinition, JSONObject, SegmentEvent } from '@segment/actions-core'
import { readCredentials, readDestinationCall, readSettingsAnywhere } from './body'
import type { Body } from './body'
import type { Definition } from './definition'
import { errorText } from './errors'
import type { ErrorFacts } from './errors'
import { outcome, outcomeAnswer } from './outcome'
import { plainRoute } from './plain-route'
import type { Answer, Route } from './route'

/** `POST /delete`, where the destination can delete. */
export function deletion(definition: Definition): Route[] {
  if (!definition.onDelete) return []
  const run = (body: Body) =>
    outcome(definition, body, async (destination) => {
      const { payload, settings } = readDestinationCall(body)
      const result = await destination.onDelete?.(payload as JSONObject & SegmentEvent, settings)
      return [{ status: 200, sent: payload, body: result }]
    })
  return [{ method: 'POST', path: '/delete', handle: async (body, wishes) => outcomeAnswer(await run(body), wishes) }]
}

/** `POST /authenticate`: the status is always 200, `ok` tells. */
export function authentication(definition: Definition, path: string): Route {
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
export function audience(definition: Definition, call: 'createAudience' | 'getAudience'): Route[] {
  const { audienceConfig } = definition as Partial<AudienceDestinationDefinition>
  if (!audienceConfig || !(call in audienceConfig)) return []
  return [
    plainRoute(definition, `/${call}`, async (destination, body) => destination[call](readDestinationCall(body)), notOk)
  ]
}

/** `POST /refreshAccessToken`. The original reads client id, secret and tokens at the root of the body. */
export function refresh(definition: Definition): Route {
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

const notOk = (error: ErrorFacts): Answer => ({ status: 400, body: { ok: false, error: error.message } })
