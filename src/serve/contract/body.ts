import type { JSONObject, OAuth2ClientCredentials } from '@segment/actions-core'
import invert from 'lodash/invert'
import isEmpty from 'lodash/isEmpty'
import mapKeys from 'lodash/mapKeys'
import { z } from 'zod'
import { isObject } from '../../http/json'
import { BadCall } from './errors'

/** The request body after the edge: always an object, `{}` when there was none. */
export type Body = JSONObject

/** Core's type promises every token; which of them there are, only the destination can judge. */
type Credentials = OAuth2ClientCredentials & Record<string, string>

const object = z.custom<JSONObject>(isObject, 'must be an object')
/** Absent, `null`, `false`, `0` and `''` all count as not given, as in the original. */
const objectOrNone = z.preprocess((value) => value || {}, object)
const payload = z.preprocess(
  (value) => value || {},
  // A row of a batch that is no object fails alone, in core.
  z.union([object, z.custom<JSONObject[]>(Array.isArray)], 'must be an object (one event) or an array (a batch)')
)

const actionCall = z.object({
  payload,
  settings: objectOrNone,
  mapping: objectOrNone,
  features: z.preprocess((value) => value || {}, z.custom<Record<string, boolean>>(isObject, 'must be an object')),
  subscriptionMetadata: objectOrNone,
  subscribe: z.string('must be a text').nullish()
})

// Core's type promises a text; whether there is one is for the destination to judge.
const asGiven = z.preprocess((value) => value, z.custom<string>())
const settingsOnly = z.object({ settings: objectOrNone })

const destinationCall = z.looseObject({
  settings: objectOrNone,
  payload: objectOrNone,
  audienceSettings: objectOrNone,
  // Absent where it was not given, whatever the destination makes of that, as in the original.
  audienceName: asGiven,
  externalId: asGiven
})

const fieldCall = z.object({
  settings: objectOrNone,
  payload: objectOrNone,
  page: z.preprocess((value) => value || 1, z.custom<string>()),
  audienceSettings: objectOrNone,
  dynamicFieldContext: objectOrNone,
  hookInputs: z.preprocess((value) => value || {}, z.custom<Record<string, string>>(isObject, 'must be an object')),
  hookOutputs: objectOrNone
})

/** Body of an action call. */
export const readActionCall = (body: Body) => ({ ...parse(actionCall, body), auth: readTokens(body) })
/** Body of a dynamic field or hook. */
export const readFieldCall = (body: Body) => ({ ...parse(fieldCall, body), auth: readTokens(body) })
/** Body of a deletion or an audience call; settings carry the tokens, where core looks for them. */
export const readDestinationCall = (body: Body) => ({ ...parse(destinationCall, body), settings: readSettings(body) })

/** `settings` of the body with its tokens as `oauth.access_token` and so on, as the platform stores them. */
export function readSettings(body: Body): JSONObject {
  const { settings } = parse(settingsOnly, body)
  const tokens: JSONObject = mapKeys(readTokens(body), (_value, key) => STORED[key] ?? key)
  return isEmpty(tokens) ? settings : { ...settings, oauth: tokens }
}

/** Settings to be tested: at the root of the body (Segment's server) or under `settings` (Segment's documentation). */
export function readSettingsAnywhere(body: Body): JSONObject {
  const { auth, oauth, ...root } = body
  return readSettings(isObject(body.settings) ? body : { settings: root, auth, oauth })
}

/** OAuth tokens and client credentials from `settings.oauth`, `oauth` or `auth`, spelled `access_token` or `accessToken`. */
function readTokens(body: Body): Credentials {
  return credentials([isObject(body.settings) && body.settings.oauth, body.oauth, body.auth])
}

/** As `readTokens`, and also at the root of the body, where `/refreshAccessToken` of Segment's server reads them. */
export function readCredentials(body: Body): Credentials {
  const { settings: _settings, auth: _auth, oauth: _oauth, ...root } = body
  return credentials([root, readTokens(body)])
}

/** Core's names of the tokens, and the spelling the platform stores them in. */
const STORED: Record<string, string> = {
  accessToken: 'access_token',
  refreshToken: 'refresh_token',
  refreshTokenUrl: 'refresh_token_url'
}
const NAMED = invert(STORED)

/** Later sources win. */
function credentials(sources: unknown[]): Credentials {
  return mapKeys(Object.assign({}, ...sources.filter(isObject)), (_value, key) => NAMED[key] ?? key) as never
}

function parse<T>(schema: z.ZodType<T>, body: Body): T {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]
  throw new BadCall(`${path.join('.')} ${message}`)
}
