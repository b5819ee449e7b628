import { parseFql, validate } from '@segment/destination-subscriptions'
import destination from '../../definitions/emailsendx'

/** Which events the triggers of the automatic presets let through. */
const passes = (event: object) =>
  (destination.presets ?? [])
    .flatMap((preset) => (preset.type === 'automatic' ? [preset] : []))
    .filter(({ subscribe }) => validate(parseFql(subscribe), event as never))
    .map(({ name }) => name)

const IDENTIFY = ['Identify Contact']
const TRACK = ['Track Event']
const LEFT_OUT: string[] = []

const anonymousId = 'anon_1'
const userId = 'user_12345'
const email = 'morgan@acme.com'

it.each<[string, object, string[]]>([
  ['a visitor’s track on a website', { type: 'track', event: 'e', anonymousId, context: { page: {} } }, LEFT_OUT],
  ['… whose userId is null', { type: 'track', event: 'e', anonymousId, userId: null, properties: {} }, LEFT_OUT],
  ['… whose traits say no address', { type: 'track', event: 'e', context: { traits: { plan: 'pro' } } }, LEFT_OUT],
  ['an identified visitor’s track on a website', { type: 'track', event: 'e', anonymousId, userId }, TRACK],
  [
    'a track with the address that a middleware adds',
    { type: 'track', event: 'e', context: { traits: { email } } },
    TRACK
  ],
  ['a track of a mobile app or of RudderStack', { type: 'track', anonymousId, context: { traits: { email } } }, TRACK],
  ['a track of RudderStack’s webhooks', { type: 'track', anonymousId, traits: { email } }, TRACK],
  ['a track with an address among its properties', { type: 'track', anonymousId, properties: { email } }, TRACK],
  ['a track whose userId is an address', { type: 'track', userId: email }, TRACK],
  ['a track of a server', { type: 'track', event: 'e', userId, properties: {} }, TRACK],

  ['a visitor’s identify without an address', { type: 'identify', anonymousId, traits: { plan: 'pro' } }, LEFT_OUT],
  ['… without traits', { type: 'identify', anonymousId, userId: null, traits: null }, LEFT_OUT],
  ['an identify as on the product page', { type: 'identify', anonymousId, userId, traits: { email } }, IDENTIFY],
  ['a newsletter form’s identify, without a userId', { type: 'identify', anonymousId, traits: { email } }, IDENTIFY],
  ['an identify with context.traits only', { type: 'identify', anonymousId, context: { traits: { email } } }, IDENTIFY],
  ['an identify whose userId is the address', { type: 'identify', userId: email, traits: {} }, IDENTIFY],
  ['an identify of a known user without an address', { type: 'identify', userId, traits: { plan: 'pro' } }, IDENTIFY],

  ['a page', { type: 'page', userId }, LEFT_OUT],
  ['a group', { type: 'group', userId, traits: { email } }, LEFT_OUT]
])('%s', (_name, event, expected) => {
  expect(passes(event)).toEqual(expected)
})

it('what Segment offers for a mapping made by hand is the same as what the presets have', () => {
  const triggers = Object.fromEntries(
    (destination.presets ?? []).flatMap((preset) =>
      preset.type === 'automatic' ? [[preset.partnerAction, preset.subscribe]] : []
    )
  )
  const offered = Object.entries(destination.actions).map(([name, { defaultSubscription }]) => [
    name,
    defaultSubscription
  ])
  expect(triggers).toEqual(Object.fromEntries(offered))
})
