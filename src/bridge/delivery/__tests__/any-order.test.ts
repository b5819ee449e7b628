import fc from 'fast-check'
import { forgetContacts } from '../../../../definitions/emailsendx/functions'
import type { BridgeEvent } from '../../event'
import { identify, track } from '../../queue/__tests__/__helpers__/events'
import { TRIES_IN_ALL } from '../apply'
import { HOUR, MINUTE, Rig } from './__helpers__/rig'

jest.setTimeout(60_000)

/** One event of one of three users, under some of the names the user goes by. */
interface Step {
  user: number
  type: 'identify' | 'track'
  names: ('userId' | 'anonymousId' | 'email')[]
  /** What is done before the event: the bridge runs dry, time passes, or EmailSendX fails for a while, short or long. */
  before: 'nothing' | 'quiet' | 'minutes' | 'half an hour' | 'fault' | 'outage'
}

const step: fc.Arbitrary<Step> = fc.record({
  user: fc.integer({ min: 0, max: 2 }),
  type: fc.constantFrom('identify', 'track', 'track'),
  names: fc.subarray(['userId', 'anonymousId', 'email'] as const, { minLength: 1 }).map((names) => [...names]),
  before: fc.constantFrom('nothing', 'nothing', 'nothing', 'quiet', 'minutes', 'half an hour', 'fault', 'outage')
})

const NAMES: Step['names'] = ['userId', 'anonymousId', 'email']

/** One that tells all about its user. */
const isWholeIdentify = ({ type, names }: Step) => type === 'identify' && names.length === NAMES.length

function eventOf({ user, type, names }: Step, number: number): BridgeEvent {
  const all = { userId: `u${user}`, anonymousId: `a${user}`, email: `user${user}@example.com` }
  const known = Object.fromEntries(names.map((name) => [name, all[name]]))
  return type === 'identify' ? identify(known, { last: number }) : track(known, `event_${number}`)
}

let rig: Rig
beforeAll(async () => {
  rig = await Rig.start()
})
afterAll(() => rig.end())

it('delivers each event once whose identify comes within an hour, and each user’s in order, whatever comes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25, size: 'medium' }), async (steps) => {
      forgetContacts()
      await rig.renew()
      const arrivals: number[] = []
      // An event that failed as often as this while others got through is given up.
      let faultsLeft = TRIES_IN_ALL - 1
      const fail = async (atMost: number) => {
        const times = Math.min(atMost, faultsLeft)
        faultsLeft -= times
        if (times > 0) await rig.fault({ kind: 'status', status: 503, path: '/api/v1/**', times })
      }
      for (const [number, one] of steps.entries()) {
        if (one.before === 'quiet') await rig.quiet()
        if (one.before === 'minutes') await rig.pass(5 * MINUTE)
        if (one.before === 'half an hour') await rig.pass(HOUR / 2, 5 * MINUTE)
        if (one.before === 'fault') await fail(2)
        if (one.before === 'outage') await fail(8)
        arrivals.push(rig.now)
        await rig.take(eventOf(one, number))
      }
      // Whoever has not been identified by now, is now.
      const identified = rig.now
      await rig.take(
        ...[0, 1, 2].map((user) => eventOf({ user, type: 'identify', names: NAMES, before: 'nothing' }, steps.length))
      )
      await rig.control('DELETE', 'faults')
      await rig.settle(4 * HOUR)

      expect(await rig.partition()).toMatchObject({ events: 0, deferred: 0 })
      const { contacts, events } = await rig.state()
      expect(contacts.map(({ metadata }) => metadata.last)).toEqual([steps.length, steps.length, steps.length])
      const fired = events.map(({ name }) => Number(name.split('_')[1])).reverse()
      expect(new Set(fired).size).toBe(fired.length)
      const inTime = steps.flatMap(({ type, user }, number) => {
        const first = steps.findIndex((other) => isWholeIdentify(other) && other.user === user)
        const isIdentified = (arrivals[first] ?? identified) < arrivals[number] + HOUR
        return type === 'track' && isIdentified ? [number] : []
      })
      expect(fired).toEqual(expect.arrayContaining(inTime))
      for (const [place, number] of fired.entries()) {
        const overtaken = fired
          .slice(place)
          .filter((later) => later < number && areOfOneName(steps[later], steps[number]))
        expect(overtaken).toEqual([])
      }
    }),
    { numRuns: 20, endOnFailure: true }
  )
})

/** Only what two events have in common tells that they are of one user. */
function areOfOneName(one: Step, other: Step): boolean {
  return one.user === other.user && one.names.some((name) => other.names.includes(name))
}
