import type { SegmentEvent } from '@segment/actions-core'
import fc from 'fast-check'
import {
  deliver,
  deliverBatch,
  FakeApi,
  fire,
  isolate
} from '../../definitions/emailsendx/__tests__/__helpers__/deliver'
import { forgetContacts } from '../../definitions/emailsendx/memory'
import { anyCharacter } from '../__helpers__/any-character'

isolate()

/** Values that senders and attackers think of; only some belong where they are put. */
const text = fc.oneof(
  fc.constantFrom(
    'a@b.co',
    ' A@B.co',
    'u1',
    '',
    ' ',
    'toString',
    '__proto__',
    'constructor',
    '0',
    '\ud800',
    '$.x',
    'true'
  ),
  fc.string({ unit: anyCharacter, maxLength: 8 })
)
const anything = fc.oneof(text, fc.jsonValue({ maxDepth: 3 }), fc.constantFrom({ toString: 'x' }, { toJSON: 1 }, []))
const named = fc.record(
  { email: anything, firstName: anything, first_name: anything, lastName: anything, name: anything, vip: anything },
  { requiredKeys: [] }
)
const object = fc.oneof(named, fc.dictionary(text, anything, { maxKeys: 4 }), anything)
const personas = fc.record({ computation_class: fc.constantFrom('audience', 1), computation_key: fc.constant('vip') })
const fields = fc.record(
  {
    userId: anything,
    anonymousId: anything,
    messageId: anything,
    timestamp: anything,
    event: anything,
    traits: object,
    properties: object,
    // Always objects: the core itself fails over a batch with others.
    context: fc.record({ traits: object, personas }, { requiredKeys: [] })
  },
  { requiredKeys: [] }
)

/** Whatever it is, it is taken for an event. */
const event = fields.map((sent: object) => sent as Partial<SegmentEvent>)

/** An EmailSendX that knows one contact, and a destination that knows nobody. */
function afresh(): FakeApi {
  forgetContacts()
  const api = new FakeApi()
  api.addContact('a@b.co')
  return api
}

/** What becomes of any event. A 500 would be an exception that nobody foresaw. */
const UNDERSTOOD = [200, 400, 404, 503]

it('any identify means the same alone and in a batch, and does not touch the others in it', () =>
  fc.assert(
    fc.asyncProperty(event, fc.constantFrom('flatten', 'stringify', 'keep'), async (event, nestedTraits) => {
      const mapping = { nestedTraits }
      const ofOne = afresh()
      const { status } = await deliver('single', 'identifyContact', event, { mapping })
      expect(UNDERSTOOD).toContain(status)
      expect(ofOne.requests.length).toBeLessThanOrEqual(3)

      const ofBatch = afresh()
      const results = await deliverBatch('identifyContact', [event, { userId: 'other@b.co' }], { mapping })
      expect(results.map((result) => result.status)).toEqual([status, 200])
      const contacts = (api: FakeApi) =>
        api.bulkCalls.flatMap(({ contacts }) => contacts).filter(({ email }) => email !== 'other@b.co')
      expect(contacts(ofBatch)).toEqual(contacts(ofOne))
    }),
    { numRuns: 100 }
  ))

it('any track ends in what Segment understands, with at most five requests', () =>
  fc.assert(
    fc.asyncProperty(event, fc.constantFrom('wait', 'create', 'skip'), async (event, unknownContact) => {
      const api = afresh()
      const { status } = await fire({ event: 'e', ...event }, { mapping: { unknownContact } })
      expect(UNDERSTOOD).toContain(status)
      expect(api.requests.length).toBeLessThanOrEqual(5)
      expect(api.events).toHaveLength(status === 200 ? 1 : 0)
    }),
    { numRuns: 100 }
  ))
