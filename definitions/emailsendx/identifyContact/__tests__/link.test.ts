import { createRequestClient } from '@segment/actions-core'
import { FakeApi, isolate, SETTINGS } from '../../__tests__/__helpers__/deliver'
import { MAX_LINKS_PER_BATCH } from '../../constants'
import { identifyContacts, requestOptions } from '../../functions'
import type { Payload } from '../generated-types'

isolate()

const ENDPOINT = 'POST /segment/track'
const BULK = 'POST /contacts/bulk'

const client = createRequestClient(requestOptions(SETTINGS))
const send = (...payloads: Payload[]) => identifyContacts(client, SETTINGS, payloads)
const people = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ email: `p${i}@x.co`, userId: `user_${i}`, anonymousId: `anon_${i}` }))
const count = (api: FakeApi, request: string) => api.requests.filter((seen) => seen === request).length

describe('telling EmailSendX the user ids of contacts', () => {
  it('says nothing but the ids and the address, and after the contact is stored', async () => {
    const api = new FakeApi()
    const [outcome] = await send({ email: 'A@b.co', userId: 'u1', firstName: 'Ann', traits: { plan: 'pro' } })
    expect(api.requests).toEqual([BULK, ENDPOINT])
    expect(api.calls).toEqual([{ type: 'identify', userId: 'u1', traits: { email: 'a@b.co' } }])
    expect(outcome).toMatchObject({ kind: 'delivered', message: 'The contact is created or updated.' })
  })

  it('is done once for each pair', async () => {
    const api = new FakeApi()
    await send({ email: 'a@b.co', userId: 'u1' })
    await send({ email: 'a@b.co', userId: 'u1' }, { email: 'a@b.co', userId: 'u1' })
    expect(count(api, ENDPOINT)).toBe(1)
    await send({ email: 'new@b.co', userId: 'u1' })
    await send({ email: 'a@b.co', userId: 'u2' })
    expect(api.calls.map(({ userId, traits }) => [userId, traits?.email])).toEqual([
      ['u1', 'a@b.co'],
      ['u1', 'new@b.co'],
      ['u2', 'a@b.co']
    ])
  })

  it('tells the last address of a user that changes it within a batch', async () => {
    const api = new FakeApi()
    api.answerCall = () => [503, {}]
    const [old, last] = await send({ email: 'old@b.co', userId: 'u1' }, { email: 'new@b.co', userId: 'u1' })
    expect(api.calls.map(({ traits }) => traits?.email)).toEqual(['new@b.co'])
    expect(old.message).toBe('The contact is created or updated.')
    expect(last.message).toContain('Its User ID could not be linked')
  })

  it.each<[string, Payload]>([
    ['a user id that is the address', { email: 'a@b.co', userId: 'A@b.co' }],
    ['no user id', { email: 'a@b.co', anonymousId: 'anon_1' }],
    ['an empty user id', { email: 'a@b.co', userId: '' }],
    ['a blank user id', { email: 'a@b.co', userId: ' \n' }],
    ['a mapping that turns it off', { email: 'a@b.co', userId: 'u1', linkUserId: false }]
  ])('is not done for %s', async (_name, payload) => {
    const api = new FakeApi()
    expect((await send(payload))[0].kind).toBe('delivered')
    expect(api.requests).toEqual([BULK])
  })

  it('is not done for a contact that was refused', async () => {
    const api = new FakeApi()
    api.takes = () => false
    await send({ email: 'a@b.co', userId: 'u1' })
    expect(api.requests).toEqual([BULK])
  })

  it('1,000 new people cost 2 bulk calls and 40 further ones, known people 2 in all', async () => {
    const api = new FakeApi()
    const all = people(1000)
    const batches = [all.slice(0, 500), all.slice(500)]
    const outcomes = []
    for (const batch of batches) outcomes.push(...(await send(...batch)))
    expect([count(api, BULK), count(api, ENDPOINT)]).toEqual([2, 2 * MAX_LINKS_PER_BATCH])
    expect(outcomes.every(({ kind }) => kind === 'delivered')).toBe(true)

    // Those identified last go first; the others say that they are still to come.
    expect(api.calls.map(({ userId }) => userId).slice(0, 2)).toEqual(['user_499', 'user_498'])
    expect(outcomes[499].message).toBe('The contact is created or updated.')
    expect(outcomes[0].message).toContain('will be linked with the next identify()')

    const told = batches.flatMap((batch) => batch.slice(-MAX_LINKS_PER_BATCH))
    api.requests.length = 0
    await send(...told)
    expect(api.requests).toEqual([BULK])
  })

  it('goes on with those that are left when they come again', async () => {
    const api = new FakeApi()
    const all = people(MAX_LINKS_PER_BATCH + 5)
    await send(...all)
    await send(...all)
    await send(...all)
    expect(new Set(api.calls.map(({ userId }) => userId)).size).toBe(all.length)
    expect(api.calls).toHaveLength(all.length)
  })

  it('leaves half of the minute’s requests to events', async () => {
    const api = new FakeApi()
    api.remaining = 63
    const outcomes = await send(...people(10))
    expect(count(api, ENDPOINT)).toBe(2)
    expect(outcomes[0].message).toContain('to leave requests to events')
  })
})

describe('what can’t be told never fails the contact, and is said', () => {
  it.each<[number, object | string, RegExp]>([
    [429, { error: 'Slow down' }, /could not be linked: The API key's limit of requests/],
    [403, { error: 'No' }, /could not be linked: The API key lacks the contacts:write scope/],
    [404, { error: 'Not found' }, /could not be linked: EmailSendX has no such contact/],
    [500, { error: 'No' }, /could not be linked: .*a problem of its own/],
    [502, '<html>', /could not be linked: .*a problem of its own/],
    [200, '<html>', /could not be linked: .*not with the JSON/],
    [404, '<html>', /this EmailSendX server lacks \/api\/segment\/track/]
  ])('%i ends it for the batch', async (status, answer, words) => {
    const api = new FakeApi()
    api.answerCall = () => [status, answer]
    const outcomes = await send(...people(3))
    expect(outcomes.map(({ kind }) => kind)).toEqual(['delivered', 'delivered', 'delivered'])
    outcomes.forEach(({ message }) => expect(message).toMatch(words))
    expect(count(api, ENDPOINT)).toBe(1)
  })

  it('a server without the endpoint is not asked again for a while', async () => {
    const api = new FakeApi()
    api.answerCall = () => [404, '<html>']
    await send(...people(1))
    await send(...people(1))
    expect(count(api, ENDPOINT)).toBe(1)
  })

  it('a refused pair is no reason to leave out the others, and is not repeated', async () => {
    const api = new FakeApi()
    api.answerCall = ({ userId }) => (userId === 'user_1' ? [400, { error: 'userId is odd' }] : [200, {}])
    const outcomes = await send(...people(3))
    expect(outcomes.map(({ message }) => message.includes("can't be linked"))).toEqual([false, true, false])
    await send(...people(3))
    expect(count(api, ENDPOINT)).toBe(3)
  })

  it('what failed for a while is told with the next identify', async () => {
    const api = new FakeApi()
    api.answerCall = () => [503, {}]
    await send(...people(1))
    api.answerCall = () => [200, {}]
    expect((await send(...people(1)))[0].message).toBe('The contact is created or updated.')
    expect(count(api, ENDPOINT)).toBe(2)
  })
})

describe('an identify without an address', () => {
  it('is of the contact whose user id an earlier one has told', async () => {
    const api = new FakeApi()
    await send({ email: 'a@b.co', userId: 'u1' })
    expect((await send({ userId: 'u1', traits: { plan: 'pro' } }))[0].kind).toBe('delivered')
    expect(api.bulkCalls[1].contacts).toEqual([{ email: 'a@b.co', metadata: { plan: 'pro' } }])
  })

  it('is unaddressed when nobody has told, and costs no request', async () => {
    const api = new FakeApi()
    const [outcome] = await send({ userId: 'u1', traits: { plan: 'pro' } })
    expect(outcome).toMatchObject({ kind: 'unaddressed', status: 400 })
    expect(api.requests).toEqual([])
  })
})
