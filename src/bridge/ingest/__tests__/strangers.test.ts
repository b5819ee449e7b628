import { networkOf, StrangerRate } from '../strangers'

describe('the rate of strangers', () => {
  let now: number
  let rate: StrangerRate

  beforeEach(() => {
    now = 1_000
    rate = new StrangerRate(() => now)
  })

  /** How many of so many requests are let in. */
  function letIn(address: string, requests: number): number {
    let count = 0
    for (let i = 0; i < requests; i++) {
      try {
        rate.count(address)
        count++
      } catch (error) {
        expect(error).toMatchObject({ statusCode: 429, headers: { 'retry-after': '2' } })
      }
    }
    return count
  }

  it('is fifty at once, then five a second, for each address', () => {
    expect(letIn('1.2.3.4', 100)).toBe(50)
    expect(letIn('5.6.7.8', 1)).toBe(1)
    now += 1_000
    expect(letIn('1.2.3.4', 100)).toBe(5)
    now += 100
    expect(letIn('1.2.3.4', 100)).toBe(0)
    now += 3_600_000
    expect(letIn('1.2.3.4', 100)).toBe(50)
  })

  it('takes a bounded memory, however many addresses there are', () => {
    for (let i = 0; i < 30_000; i++) rate.count(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
    expect(rate.addresses).toBe(10_000)
  })
})

it.each([
  ['203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:DB8:1:2::', '2001:db8:1:2'],
  ['2001:0db8:0001:0002:ffff::1', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['64:ff9b::203.0.113.7', '64:ff9b:0:0'],
  ['203.0.113.7:4711', 'unknown'],
  ['_hidden', 'unknown'],
  ['', 'unknown']
])('a sender at "%s" is counted as %s', (address, network) => expect(networkOf(address)).toBe(network))
