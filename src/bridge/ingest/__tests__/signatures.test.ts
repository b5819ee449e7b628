import { createHmac } from 'crypto'
import { isSigned } from '../signatures'

const secret = 'wh-secret'
const sign = (value: unknown) => createHmac('sha1', secret).update(JSON.stringify(value)).digest('hex')
const check = (signature: unknown, body: unknown) => isSigned(secret, signature, JSON.stringify(body), body)

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

  it('is checked against the bytes as they came, not as we would print them', () => {
    const text = '{ "type":"track",  "n": 1.0 }'
    const signature = createHmac('sha1', secret).update(text).digest('hex')
    expect(isSigned(secret, signature, text, JSON.parse(text))).toBe(true)
  })

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['of another secret', createHmac('sha1', 'other').update(JSON.stringify(a)).digest('hex')],
    ['over another event', sign(b)],
    ['too short', sign(a).slice(0, 39)],
    ['given twice', [sign(a), sign(a)]]
  ])('is wrong when %s', (_, signature) => expect(check(signature, a)).toBe(false))

  it('does not fall over nesting that cannot be printed', () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    expect(isSigned(secret, sign(''), deep, JSON.parse(deep))).toBe(false)
  })
})
