import { readKey } from '../key'

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
  ])('is found as %s', (_, headers) => expect(readKey(headers)).toEqual({ key }))

  it('is found in the body, after the headers', () => {
    expect(readKey({}, key)).toEqual({ key })
    expect(readKey({ authorization: `Bearer ${key}` }, 'esx_test_other')).toEqual({ key })
  })

  it.each([
    [{}],
    [{ authorization: 'Bearer undefined' }],
    [{ authorization: 'Bearer ' }],
    [{ authorization: 'Digest x' }],
    [{ authorization: basic(':') }],
    [{ 'x-api-key': '' }]
  ])('is missing in %j', (headers) =>
    expect(readKey(headers)).toEqual({ problem: expect.stringContaining('no EmailSendX API key') as string })
  )

  it.each(['sk_live_1234', 'esx_live_with space', 'esx_live_ü', `esx_live_${'x'.repeat(300)}`])(
    'is malformed in %j',
    (bad) => {
      const result = readKey({ authorization: `Bearer ${bad}` })
      expect(result).toEqual({ problem: expect.stringContaining('not an EmailSendX API key') as string })
      expect(JSON.stringify(result)).not.toContain(bad)
    }
  )

  it('is never taken from something that is no text', () =>
    expect(readKey({}, { $ne: null })).toHaveProperty('problem'))
})
