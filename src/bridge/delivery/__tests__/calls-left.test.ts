import { CallsLeft } from '../calls-left'

it('knows what EmailSendX last told, for a minute, and then that all calls are left again', () => {
  let now = 1_000_000
  const left = new CallsLeft(() => now)
  expect(left.of('a')).toBeUndefined()
  left.note('a', { status: 200, limit: 120, remaining: 7 })
  left.note('a', undefined)
  left.note('a', { status: 503 })
  left.note('b', { status: 200, remaining: 0 })
  now += 59_999
  expect([left.of('a'), left.of('b')]).toEqual([7, 0])
  now += 1
  expect([left.of('a'), left.of('b')]).toEqual([120, undefined])
})
