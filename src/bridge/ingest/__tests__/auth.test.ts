import { createHmac } from 'node:crypto'
import { isSigned, readKey } from '../auth'
import { unpack } from '../unpack'

const key = 'esx_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6'
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

describe('the API key of a request', () => {
  it.each([
    ['Bearer', { authorization: `Bearer ${key}` }],
    ['bearer in small letters and with space', { authorization: ` bearer  ${key} ` }],
    ["Basic, as SDKs and Segment's partner sender", { authorization: basic(`${key}:`) }],
    ['Basic without the colon', { authorization: basic(key) }],
    ['x-api-key', { 'x-api-key': key }],
    ['x-api-key beside a Bearer that was never set up', { authorization: 'Bearer undefined', 'x-api-key': key }]
  ])('is found as %s', (_, headers) => expect(readKey(headers)).toBe(key))

  it('is found in the body, after the headers', () => {
    expect(readKey({}, key)).toBe(key)
    expect(readKey({ authorization: `Bearer ${key}` }, 'esx_test_other')).toBe(key)
  })

  it.each([
    [{}],
    [{ authorization: 'Bearer undefined' }],
    [{ authorization: 'Bearer ' }],
    [{ authorization: 'Digest x' }],
    [{ authorization: basic(':') }],
    [{ 'x-api-key': '' }]
  ])('is missing in %j', (headers) => expect(readKey(headers)).toBeUndefined())

  it.each(['sk_live_1234', 'esx_live_with space', 'esx_live_ü', `esx_live_${'x'.repeat(300)}`])(
    'is refused when it is malformed, as in %j, without repeating it',
    (bad) => {
      const read = () => readKey({ authorization: `Bearer ${bad}` })
      expect(read).toThrow('not an EmailSendX API key')
      expect(read).not.toThrow(bad)
    }
  )

  it('is never taken from something that is no text', () => expect(readKey({}, { $ne: null })).toBeUndefined())
})

const secret = 'wh-secret'
const hmac = (text: string, by = secret) => createHmac('sha1', by).update(text).digest('hex')
const sign = (value: unknown) => hmac(JSON.stringify(value))
const checkText = (signature: unknown, text: string, contentType?: string) =>
  isSigned(secret, signature, Buffer.from(text), unpack(Buffer.from(text), contentType, 32_000).items)
const check = (signature: unknown, body: unknown) => checkText(signature, JSON.stringify(body))

const a = { type: 'track', event: 'A', properties: { name: 'Zoë' } }
const b = { type: 'track', event: 'B' }

describe("Segment's X-Signature", () => {
  it.each([
    ['one event', a, a],
    ['the first event of a batch', a, [a, b]],
    ['the first event inside its wrapper', a, [{ json: a }, { json: b }]],
    ['the whole batch', [a, b], [a, b]],
    ['the whole batch inside its wrappers', [a, b], [{ json: a }, { json: b }]]
  ])('is good over %s', (_, signed, body) => {
    expect(check(sign(signed), body)).toBe(true)
    expect(check(` ${sign(signed).toUpperCase()} `, body)).toBe(true)
  })

  // Segment signs the JSON of what it then sends as a form (actions-webhook-extensible).
  it.each([
    { type: 'track', event: 'A b', userId: '12' },
    { type: 'track', event: 'A', userId: null },
    { type: 'track', event: 'A', count: 12, ok: true, zip: null }
  ])('is good over the event that was sent as a form: %j', (event) => {
    const form = new URLSearchParams(event as unknown as Record<string, string>).toString()
    expect(checkText(sign(event), form, 'application/x-www-form-urlencoded')).toBe(true)
    expect(check(sign(event), [{ body: form }, { body: 'type=track' }])).toBe(true)
    expect(checkText(sign({ ...event, event: 'B' }), form, 'application/x-www-form-urlencoded')).toBe(false)
  })

  it('is checked against the bytes as they came, not as we would print them', () => {
    const text = '{ "type":"track",  "n": 1.0 }'
    expect(checkText(hmac(text), text)).toBe(true)
  })

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['of another secret', hmac(JSON.stringify(a), 'other')],
    ['over another event', sign(b)],
    ['too short', sign(a).slice(0, 39)],
    ['given twice', [sign(a), sign(a)]]
  ])('is wrong when %s', (_, signature) => expect(check(signature, a)).toBe(false))

  it('does not fall over nesting that cannot be printed', () =>
    expect(checkText(sign(''), `${'['.repeat(20_000)}${']'.repeat(20_000)}`)).toBe(false))
})
