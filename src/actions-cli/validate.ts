import type { ActionDefinition, Preset } from '@segment/actions-core'
import { parseFql } from '@segment/destination-subscriptions'
import words from 'lodash/words'
import type { Definition } from './load'

/**
 * What is wrong with a definition, one sentence each; none: Segment's reviewers and catalog take it.
 * These are the checks of `validate` and `validate-secret-fields` in Segment's CLI. Several only print there; here all
 * fail, and a secret setting is found in camelCase too.
 */
export const problemsOf = (definition: Definition): string[] => [
  ...(Object.keys(definition.actions).length > 0 ? [] : ['the destination has no actions']),
  ...Object.entries(definition.actions).flatMap(([key, action]) =>
    actionProblems(action).map((problem) => `action "${key}": ${problem}`)
  ),
  ...(definition.presets ?? []).flatMap((preset) =>
    presetProblems(preset, definition).map((problem) => `preset "${preset.name}": ${problem}`)
  ),
  ...settingProblems(definition)
]

function actionProblems({ description, defaultSubscription, fields }: ActionDefinition<unknown>): string[] {
  const undescribed = Object.keys(fields).filter((key) => !fields[key].description)
  return [
    ...(description ? [] : ['no description']),
    ...(defaultSubscription ? fqlProblems('defaultSubscription', defaultSubscription) : []),
    ...undescribed.map((key) => `field "${key}": no description`),
    ...batchKeyProblems(fields)
  ]
}

function batchKeyProblems(fields: ActionDefinition<unknown>['fields']): string[] {
  const keys = fields.batch_keys?.default ?? []
  const unknown = keys.filter((key) => !Object.hasOwn(fields, key))
  return [
    ...(keys.length > 3 ? [`batch_keys names ${keys.length} fields, at most 3 are allowed`] : []),
    ...(unknown.length > 0 ? [`batch_keys names fields that do not exist: ${unknown.join(', ')}`] : []),
    ...(keys.includes('batch_keys') ? ['batch_keys names itself'] : [])
  ]
}

function presetProblems(preset: Preset, { actions }: Definition): string[] {
  if (!Object.hasOwn(actions, preset.partnerAction)) return [`there is no action "${preset.partnerAction}"`]
  const { fields } = actions[preset.partnerAction]
  const unknown = Object.keys(preset.mapping ?? {}).filter((key) => !Object.hasOwn(fields, key))
  return [
    ...(preset.type === 'automatic' ? fqlProblems('subscribe', preset.subscribe) : []),
    ...unknown.map((key) => `maps "${key}", which is no field of action "${preset.partnerAction}"`)
  ]
}

const fqlProblems = (property: string, query: string) =>
  'error' in parseFql(query) ? [`${property} is not valid FQL: ${query}`] : []

function settingProblems({ authentication }: Definition): string[] {
  return Object.entries(authentication?.fields ?? {}).flatMap(([key, { type, default: preset }]) => [
    ...((type === 'boolean' || type === 'number') && preset !== undefined && typeof preset !== type
      ? [`setting "${key}": the default is a ${typeof preset}, the type is ${type}`]
      : []),
    ...(namesSecret(key) && type !== 'password'
      ? [`setting "${key}": sounds like a secret, so its type must be password, not ${type}`]
      : []),
    ...(authentication?.scheme === 'oauth2' && reservedForOauth.includes(key.toLowerCase())
      ? [`setting "${key}": the name is reserved for OAuth`]
      : [])
  ])
}

const secretWord = /^(key|token|secret|password|code)$/i

const namesSecret = (key: string) => words(key).some((word) => secretWord.test(word))

/** What the platform keeps for an OAuth destination itself, and what such a destination has no business asking for. */
const reservedForOauth = [
  ...['oauth', 'oauth2', 'accesstoken', 'access-token', 'access_token', 'refresh-token', 'refresh_token', 'token_type'],
  ...['apikey', 'apisecret', 'clientsecret', 'password', 'secretkey', 'secret', 'securitytoken']
]
