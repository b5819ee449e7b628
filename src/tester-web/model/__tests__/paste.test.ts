import { readPasted } from '../paste'

const identify = { type: 'identify', userId: 'u1', traits: { email: 'a@b.co', plan: "it's" } }

it.each([
  [
    'a browser library',
    `analytics.identify('u1', { email: "a@b.co", plan: 'it\\'s', /* today */ }) // done`,
    [identify]
  ],
  [
    'a server library',
    `await analytics.track({ userId: 'u1', event: 'Paid', properties: { amount: 9.5, tags: ['a', null,], }, })`,
    [{ type: 'track', userId: 'u1', event: 'Paid', properties: { amount: 9.5, tags: ['a', null] } }]
  ],
  [
    'several calls',
    `analytics.identify({email: 'a@b.co'});\nanalytics.track("Paid");\nanalytics.page()`,
    [
      { type: 'identify', traits: { email: 'a@b.co' } },
      { type: 'track', event: 'Paid', properties: {} },
      { type: 'page', name: undefined, properties: {} }
    ]
  ],
  ['a request of an SDK', `{"batch": [{"type": "page"}], "sentAt": "now"}`, [{ type: 'page' }]],
  ['one event a line', `{"type":"page"}\n\n{"type":"track"}`, [{ type: 'page' }, { type: 'track' }]],
  [
    'curl',
    `curl -u key: https://api.segment.io/v1/identify \\\n  -H 'Content-Type: application/json' -d '{"userId":"u1","traits":{"email":"a@b.co","plan":"it'\\''s"}}'`,
    [identify]
  ],
  [
    'curl of this server',
    `$ curl -s localhost:3000/trackEvent -d "{\\"payload\\": {\\"type\\": \\"track\\"}}"`,
    [{ type: 'track' }]
  ]
])('reads %s', (_, text, events) => {
  expect(readPasted(text)?.events).toEqual(events)
})

it.each(['{"type": "track"}', '[{"type": "track"}]', 'nonsense', '', '{"type":'])('leaves %j as it is', (text) => {
  expect(readPasted(text)).toBeUndefined()
})

it.each([
  ['analytics.track(name, {})', 'only values can be read, not name,'],
  ['analytics.track("a", { b: user.id })', 'only values can be read, not user.id'],
  ['analytics.track("a", {', 'it ends too early'],
  ['curl https://example.com', 'a curl line has no JSON in -d']
])('says what it cannot read in %s', (text, words) => {
  expect(() => readPasted(text)).toThrow(words)
})
