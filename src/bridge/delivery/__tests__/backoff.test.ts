import fc from 'fast-check'
import { readPace } from '../../../../definitions/emailsendx/pace'
import { backOff, pauseAfter, setAsidePause, suspendedPause } from '../backoff'

const NOW = Date.UTC(2026, 10, 23, 12)
const SECOND = 1000
const MINUTE = 60 * SECOND

function pace(status: number, headers: Record<string, string>) {
  return readPace(new Response('', { status, headers }), NOW)
}

const DATE = 'Mon, 23 Nov 2026 12:00:00 GMT'
const inSeconds = (seconds: number) => String(NOW / 1000 + seconds)

describe('the pause after an answer', () => {
  it.each<[string, number, Record<string, string>, number]>([
    ['none while calls are left', 200, { 'x-ratelimit-remaining': '2', 'x-ratelimit-reset': inSeconds(50) }, 0],
    ['none when nothing is said', 200, {}, 0],
    [
      'until the reset when too few are left',
      200,
      { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': inSeconds(50) },
      50_000
    ],
    ['a window when nobody says until when', 200, { 'x-ratelimit-remaining': '0' }, 61_000],
    [
      'a second for a reset that is over',
      200,
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inSeconds(-5) },
      1_000
    ],
    ['no more than a window', 200, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW) }, 61_000],
    ['as long as a 429 says', 429, { 'retry-after': '14' }, 14_000],
    ['until the date a 429 says', 429, { date: DATE, 'retry-after': 'Mon, 23 Nov 2026 12:02:00 GMT' }, 120_000],
    ['no more than an hour', 429, { 'retry-after': '86400' }, 3_600_000],
    ['until the reset for a 429 that does not say', 429, { 'x-ratelimit-reset': inSeconds(20) }, 20_000],
    ['half a minute for a 429 that says nothing', 429, {}, 30_000],
    ['half a minute for a 429 that says nonsense', 429, { 'retry-after': 'soon' }, 30_000],
    ['half a minute for a 429 that says at once', 429, { 'retry-after': '0' }, 30_000],
    ['as long as a 503 says', 503, { 'retry-after': '90' }, 90_000]
  ])('is %s', (_, status, headers, expected) => {
    expect(pauseAfter(pace(status, headers))).toBe(expected)
  })

  it('lasts until both calls of a track have a place', () => {
    const none = pace(200, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inSeconds(10) })
    const one = pace(200, { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': inSeconds(10) })
    const ages = [50_000, 20_000, 10_000]
    expect([pauseAfter(none, ages), pauseAfter(one, ages)]).toEqual([40_000, 10_000])
  })

  it("goes by EmailSendX's own clock", () => {
    const headers = { date: 'Mon, 23 Nov 2026 15:00:00 GMT', 'x-ratelimit-remaining': '0' }
    const reset = { 'x-ratelimit-reset': inSeconds(3 * 3600 + 30) }
    expect(pauseAfter(pace(200, { ...headers, ...reset }))).toBe(30_000)
  })

  it('is none when EmailSendX was not asked', () => {
    expect(pauseAfter(undefined)).toBe(0)
  })

  it('is never negative, endless or nothing for a 429, whatever the headers', () => {
    const text = fc.oneof(fc.string(), fc.integer().map(String), fc.double().map(String))
    fc.assert(
      fc.property(fc.constantFrom(200, 429, 503), text, text, text, (status, ...texts) => {
        const [remaining, reset, retryAfter] = texts
        const get = (name: string) =>
          ({ 'x-ratelimit-remaining': remaining, 'x-ratelimit-reset': reset, 'retry-after': retryAfter }[name] ?? null)
        const pause = pauseAfter(readPace({ status, headers: { get } } as unknown as Response, NOW))
        expect(pause).toBeGreaterThanOrEqual(status === 429 ? SECOND : 0)
        expect(pause).toBeLessThanOrEqual(60 * MINUTE)
      })
    )
  })
})

describe('pauses after failures', () => {
  it('grow, with full jitter, up to a minute', () => {
    expect([1, 2, 3, 6, 7, 1000].map((failures) => backOff(failures, 1))).toEqual([2e3, 4e3, 8e3, 6e4, 6e4, 6e4])
    expect(backOff(5, 0)).toBe(0)
    expect(backOff(5, 0.5)).toBe(16_000)
  })

  it('for a refused key grow from a minute to an hour', () => {
    expect([1, 2, 3, 7, 100].map(suspendedPause)).toEqual([1, 2, 4, 60, 60].map((minutes) => minutes * MINUTE))
  })

  it('for an event set aside grow from two minutes to an hour', () => {
    expect([1, 5, 6, 12, 100].map((attempts) => setAsidePause(attempts, 5))).toEqual(
      [2, 2, 4, 60, 60].map((minutes) => minutes * MINUTE)
    )
  })
})
