import cloneDeep from 'lodash/cloneDeep'
import set from 'lodash/set'
import type { Definition } from '../load'
import { problemsOf } from '../validate'
import shop from './__helpers__/shop'

/** The shop with one thing changed. */
const shopWith = (path: string, value: unknown) => set(cloneDeep<Definition>(shop), path, value)

const field = { label: 'Field', type: 'string' }

it('finds nothing wrong with a sound definition', () => {
  expect(problemsOf(shop)).toEqual([])
})

it.each<[path: string, value: unknown, problem: string]>([
  ['actions', {}, 'the destination has no actions'],
  ['actions.order.description', '', 'action "order": no description'],
  ['actions.order.fields.odd', field, 'action "order": field "odd": no description'],
  ['actions.order.defaultSubscription', 'tracked', 'action "order": defaultSubscription is not valid FQL: tracked'],
  [
    'actions.order.fields.batch_keys',
    { ...field, description: 'Keys.', default: ['email', 'userId', 'channel', 'codes'] },
    'action "order": batch_keys names 4 fields, at most 3 are allowed'
  ],
  [
    'actions.order.fields.batch_keys',
    { ...field, description: 'Keys.', default: ['email', 'list', 'shop'] },
    'action "order": batch_keys names fields that do not exist: list, shop'
  ],
  [
    'actions.order.fields.batch_keys',
    { ...field, description: 'Keys.', default: ['batch_keys'] },
    'action "order": batch_keys names itself'
  ],
  ['presets[0].partnerAction', 'constructor', 'preset "Orders": there is no action "constructor"'],
  ['presets[0].partnerAction', 'buy', 'preset "Orders": there is no action "buy"'],
  ['presets[0].subscribe', 'tracked', 'preset "Orders": subscribe is not valid FQL: tracked'],
  ['presets[0].mapping.colour', 'red', 'preset "Orders": maps "colour", which is no field of action "order"'],
  ['authentication.fields.strict.default', 'no', 'setting "strict": the default is a string, the type is boolean'],
  ...['apiKeyId', 'api_key', 'clientSecret', 'token', 'zip-code', 'PASSWORD'].map((key): [string, unknown, string] => [
    `authentication.fields.${key}`,
    { ...field, description: 'Secret.' },
    `setting "${key}": sounds like a secret, so its type must be password, not string`
  ])
])('names the problem when %s is %j', (path, value, problem) => {
  const problems = problemsOf(shopWith(path, value))
  const left = path === 'actions' ? problems.filter((other) => !other.startsWith('preset')) : problems
  expect(left).toEqual([problem])
})

it.each(['keyboard', 'tokens', 'encode', 'region'])('takes the setting "%s" for no secret', (key) => {
  expect(problemsOf(shopWith(`authentication.fields.${key}`, { ...field, description: 'Plain.' }))).toEqual([])
})

it('reserves the names of tokens and keys in an OAuth destination, and only there', () => {
  const withToken = shopWith('authentication.fields.oauth', { ...field, description: 'Mine.' })
  expect(problemsOf(withToken)).toEqual([])
  expect(problemsOf(set(withToken, 'authentication.scheme', 'oauth2'))).toEqual([
    'setting "apiKey": the name is reserved for OAuth',
    'setting "oauth": the name is reserved for OAuth'
  ])
})

it('asks no FQL of a preset for one specific event', () => {
  expect(problemsOf(shopWith('presets[1].subscribe', 'tracked'))).toEqual([])
})
