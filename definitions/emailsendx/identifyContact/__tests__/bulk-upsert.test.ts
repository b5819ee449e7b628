import nock from 'nock'
import { MAX_BODY_BYTES } from '../../constants'
import {
  deliver,
  deliverBatch,
  FakeApi,
  identify,
  isolate,
  ORIGIN,
  SETTINGS
} from '../../__tests__/__helpers__/deliver'

isolate()

const people = (count: number) =>
  Array.from({ length: count }, (_, i) => identify({ email: `p${i}@x.co`, plan: 'pro' }))
const statuses = async (api: FakeApi, count: number) => {
  const results = await deliverBatch('identifyContact', people(count))
  expect(api.bulkCalls.every(({ contacts }) => contacts.length <= 500)).toBe(true)
  return results.map(({ status }) => status)
}

describe('calls', () => {
  it('1,000 contacts take 2', async () => {
    const api = new FakeApi()
    expect(await statuses(api, 1000)).toEqual(Array(1000).fill(200))
    expect(api.bulkCalls.map(({ contacts }) => contacts.length)).toEqual([500, 500])
  })

  it('stay under 1 MB each, whatever the size of the contacts', async () => {
    const api = new FakeApi()
    const events = Array.from({ length: 40 }, (_, i) => identify({ email: `p${i}@x.co`, bio: '🌸'.repeat(10_000) }))
    const results = await deliverBatch('identifyContact', events)
    expect(results.every(({ status }) => status === 200)).toBe(true)
    expect(api.bulkCalls.length).toBe(2)
    expect(api.bulkCalls.every(({ contacts }) => Buffer.byteLength(JSON.stringify(contacts)) <= 1_000_002)).toBe(true)
  })
})

it('values that look like a place in the JSON of a call change nothing', async () => {
  const api = new FakeApi()
  const mapping = { listId: '[]$&', consentSource: '$`' }
  await deliverBatch('identifyContact', [identify({ email: 'a@b.co', note: "[] $& $' " })], { mapping })
  expect(api.bulkCalls).toEqual([{ contacts: [{ email: 'a@b.co', metadata: { note: "[] $& $' " } }], ...mapping }])
})

describe('refused contacts that the report does not name', () => {
  it.each([
    [0, 9],
    [250, 10],
    [499, 16]
  ])('one in 500, at %i, costs %i further calls', async (bad, calls) => {
    const api = new FakeApi()
    api.takes = ({ email }) => email !== `p${bad}@x.co`
    const results = await deliverBatch('identifyContact', people(500))
    expect(results.flatMap(({ status }, index) => (status === 200 ? [] : [index]))).toEqual([bad])
    expect(results[bad]).toMatchObject({
      status: 400,
      code: 'PAYLOAD_VALIDATION_FAILED',
      message: 'EmailSendX did not accept the contact: email is on the blocklist',
      reporter: 'DESTINATION',
      sent: { email: `p${bad}@x.co` }
    })
    expect(api.bulkCalls.length - 1).toBe(calls)
  })

  it('are all found once as many are found as were counted, and no call is made for the others', async () => {
    const api = new FakeApi()
    const bad = ['p0@x.co', 'p2@x.co']
    api.takes = ({ email }) => !bad.includes(email)
    expect(await statuses(api, 8)).toEqual([400, 200, 400, 200, 200, 200, 200, 200])
    expect(api.bulkCalls.map(({ contacts }) => contacts.length)).toEqual([8, 4, 2, 1, 2, 1])
  })

  it.each([[0], [250], [499]])('also when the bad one at %i makes the API refuse the whole call', async (bad) => {
    const api = new FakeApi()
    api.answerBulk = (contacts) =>
      contacts.some(({ email }) => email === `p${bad}@x.co`) ? [400, { error: 'email is not valid' }] : [200, {}]
    const results = await deliverBatch('identifyContact', people(500))
    expect(results.flatMap(({ status }, index) => (status === 200 ? [] : [index]))).toEqual([bad])
    expect(results[bad].message).toBe('EmailSendX refused the request: email is not valid')
    expect(api.bulkCalls.length - 1).toBeLessThanOrEqual(18)
  })

  it('too many to find are sent again later, and nobody is blamed without proof', async () => {
    const api = new FakeApi()
    const bad = new Set([3, 90, 160, 222, 301, 388, 444, 490].map((i) => `p${i}@x.co`))
    api.takes = ({ email }) => !bad.has(email)
    const results = await deliverBatch('identifyContact', people(500))
    expect(api.bulkCalls.length - 1).toBe(18)
    results.forEach(({ status, code, message }, i) => {
      if (status === 400) expect(bad).toContain(`p${i}@x.co`)
      else if (status === 200) expect(bad).not.toContain(`p${i}@x.co`)
      else {
        expect({ status, code }).toEqual({ status: 429, code: 'RETRYABLE_ERROR' })
        expect(message).toContain('still in doubt')
      }
    })
    expect(results.filter(({ status }) => status === 429).length).toBeGreaterThan(0)
    expect(results.filter(({ status }) => status === 400).length).toBeGreaterThan(0)
  })

  it('all of them: every one is refused, without a further call', async () => {
    const api = new FakeApi()
    api.takes = () => false
    expect(await statuses(api, 5)).toEqual([400, 400, 400, 400, 400])
    expect(api.bulkCalls.length).toBe(1)
  })

  it('stops searching on a rate limit, with what is not yet known to be sent again', async () => {
    const api = new FakeApi()
    api.takes = ({ email }) => email !== 'p2@x.co'
    const counted = api.answerBulk
    api.answerBulk = (contacts, listId) =>
      api.bulkCalls.length > 1 ? [429, { error: 'slow down' }] : counted(contacts, listId)
    expect(await statuses(api, 4)).toEqual([429, 429, 429, 429])
    expect(api.bulkCalls.length).toBe(2)
  })

  it('in doubt is in doubt: as many unknown fates as refusals do not clear the others', async () => {
    const api = new FakeApi()
    api.answerBulk = (contacts) => (contacts.length === 4 ? [200, { data: { summary: { failed: 2 } } }] : [503, {}])
    expect(await statuses(api, 4)).toEqual([503, 503, 503, 503])
  })
})

describe('refused contacts that the report names', () => {
  it('need no further call', async () => {
    const api = new FakeApi()
    api.answerBulk = () => [
      200,
      {
        summary: { failed: 2 },
        errors: [
          { email: ' P1@x.co', message: 'bounced' },
          { email: 'p3@x.co', message: 'blocked' }
        ]
      }
    ]
    const results = await deliverBatch('identifyContact', people(5))
    expect(results.map(({ status }) => status)).toEqual([200, 400, 200, 400, 200])
    expect(results[1].message).toBe('EmailSendX did not accept the contact: bounced')
    expect(results[3].message).toBe('EmailSendX did not accept the contact: blocked')
    expect(api.bulkCalls.length).toBe(1)
  })
})

describe('what a report may look like', () => {
  it.each([
    ['wrapped', { data: { summary: { created: 1, failed: 0 } } }, 200],
    ['bare', { summary: { created: 1 } }, 200],
    ['empty object', {}, 200],
    ['skipped, which says nothing', { data: { summary: { skipped: 1 } } }, 200],
    ['no counters, no errors', { data: { ok: true } }, 200],
    ['refused, wrapped, text', { data: { summary: { failed: 1 }, errors: ['No!'] } }, 400],
    ['refused, bare, object', { summary: { failed: 1 }, errors: [{ message: 'No!' }] }, 400],
    ['refused, number as text', { summary: { failed: '1' }, errors: [{ error: 'No!' }] }, 400],
    ['refused, errors only', { data: { errors: ['No!'] } }, 400]
  ])('%s', async (_name, body, status) => {
    const api = new FakeApi()
    api.answerBulk = () => [200, body]
    for (const mode of ['single', 'batch'] as const) {
      const result = await deliver(mode, 'identifyContact', identify({ email: 'a@b.co' }))
      expect(result.status).toBe(status)
      if (status === 400) expect(result.message).toBe('EmailSendX did not accept the contact: No!')
    }
  })

  it('refused without a reason', async () => {
    const api = new FakeApi()
    api.answerBulk = () => [200, { data: { summary: { failed: 1 } } }]
    const result = await deliver('single', 'identifyContact', identify({ email: 'a@b.co' }))
    expect(result.message).toBe('EmailSendX did not accept the contact: no reason given')
  })

  it.each(['', ' \r\n'])('no body at all is success: %j', async (body) => {
    nock(ORIGIN).post('/api/v1/contacts/bulk').reply(200, body)
    expect((await deliver('single', 'identifyContact', identify({ email: 'a@b.co' }))).status).toBe(200)
  })
})

describe('faults of the whole', () => {
  it('a rate limit ends the batch: what was not sent is limited, too', async () => {
    const api = new FakeApi()
    api.answerBulk = () => (api.bulkCalls.length === 1 ? [200, {}] : [429, { error: 'Rate limit exceeded.' }])
    const results = await deliverBatch('identifyContact', people(1400))
    expect(api.bulkCalls.length).toBe(2)
    expect(results.slice(0, 500).every(({ status }) => status === 200)).toBe(true)
    expect(results.slice(500).every(({ status, code }) => status === 429 && code === 'RETRYABLE_ERROR')).toBe(true)
    // Only what was in the refused call was sent.
    expect(results[600]).toMatchObject({ reporter: 'DESTINATION', sent: { email: 'p600@x.co' } })
    expect(results[1200]).toMatchObject({ reporter: 'INTEGRATIONS', sent: undefined })
  })

  it('a wrong address of the server ends it, too, also for other lists', async () => {
    const api = new FakeApi()
    api.answerBulk = () => [302, {}]
    const mapping = { listId: { '@path': '$.traits.list' } }
    const events = ['l1', 'l2'].map((list, i) => identify({ email: `p${i}@x.co`, list }))
    const results = await deliverBatch('identifyContact', events, { mapping })
    expect(results.map(({ status }) => status)).toEqual([400, 400])
    expect(api.bulkCalls.length).toBe(1)
  })

  it.each([
    [404, { error: 'List not found' }],
    [400, { error: 'listId does not exist' }]
  ])('an unknown list (%i) is one error for all its contacts, and other lists go on', async (status, body) => {
    const api = new FakeApi()
    api.answerBulk = (_contacts, listId) => (listId === 'gone' ? [status, body] : [200, {}])
    const results = await deliverBatch(
      'identifyContact',
      ['gone', 'there', 'gone'].map((list, i) => identify({ email: `p${i}@x.co`, list })),
      { mapping: { listId: { '@path': '$.traits.list' } }, settings: SETTINGS }
    )
    expect(results.map((result) => [result.status, result.code])).toEqual([
      [404, 'NOT_FOUND'],
      [200, undefined],
      [404, 'NOT_FOUND']
    ])
    expect(results[0].message).toContain('The list "gone" does not exist')
    expect(api.bulkCalls.length).toBe(2)
  })
})

describe('what a report says of its rows', () => {
  const report = (failed: number | undefined, errors: unknown[]) => ({ data: { summary: { failed }, errors } })
  const send = (count: number, answer: object) => {
    const api = new FakeApi()
    api.answerBulk = () => [200, answer]
    return deliverBatch('identifyContact', people(count)).then((results) => ({ results, calls: api.bulkCalls.length }))
  }

  it.each([
    ['0, with a remark on a contact', report(0, [{ email: 'p1@x.co', message: 'skipped: suppressed' }])],
    ['a negative count', report(-1, ['p1@x.co'])],
    ['no count and no errors', report(undefined, [])]
  ])('nothing failed: %s', async (_name, answer) => {
    const { results, calls } = await send(3, answer)
    expect(results.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(calls).toBe(1)
  })

  it('one row is never halved', async () => {
    const { results, calls } = await send(1, report(1, ['no', 'and not x@y.co']))
    expect(results).toMatchObject([{ status: 400, message: expect.stringContaining('no and not x@y.co') }])
    expect(calls).toBe(1)
  })

  it('rows that are named in the text only are found without a search, be they as many as failed', async () => {
    const texts = [3, 7, 11].map((i) => `Contact P${i}@x.co: on the blocklist.`)
    const { results, calls } = await send(20, report(3, [texts[0], { message: texts[1] }, { error: texts[2] }]))
    expect(results.flatMap(({ status }, i) => (status === 200 ? [] : [[i, status]]))).toEqual([
      [3, 400],
      [7, 400],
      [11, 400]
    ])
    expect(calls).toBe(1)
  })

  it('a text that names two, or nobody that was sent, names none', async () => {
    const api = new FakeApi()
    api.takes = ({ email }) => email !== 'p2@x.co'
    const answer = api.answerBulk
    api.answerBulk = (contacts) =>
      contacts.length === 4 ? [200, report(1, ['p1@x.co or p2@x.co', 'x@y.co'])] : answer(contacts)
    const results = await deliverBatch('identifyContact', people(4))
    expect(results.map(({ status }) => status)).toEqual([200, 200, 400, 200])
  })

  it('tells each of many refused contacts its own reason, and nobody another one’s address', async () => {
    const texts = people(50).map((_, i) => ({ email: `p${i}@x.co`, message: `p${i}@x.co is odd` }))
    const { results } = await send(50, report(50, texts))
    results.forEach((result, i) => {
      expect(result).toMatchObject({ status: 400, message: expect.stringContaining(`p${i}@x.co is odd`) })
      expect(JSON.stringify(result).match(/p\d+@x\.co/g)).toEqual(Array(3).fill(`p${i}@x.co`))
    })
    const unnamed = await send(2, report(2, ['x@y.co is odd', 'limit reached', 'limit reached']))
    unnamed.results.forEach((result) => {
      expect(result.message).toContain('limit reached')
      expect(JSON.stringify(result)).not.toContain('x@y.co')
    })
  })

  it('those who were taken read nothing about those who were not', async () => {
    const { results } = await send(3, report(1, [{ email: 'p1@x.co', message: 'p1@x.co is odd' }]))
    expect(results[0].body).toEqual(report(1, []))
    expect(results[1].body).toEqual(report(1, ['p1@x.co is odd']))
    const bare = await send(2, report(1, ['p1@x.co is odd']).data)
    expect(bare.results[0].body).toEqual(report(1, []).data)
  })

  it('what holds no errors is handed on as it is', async () => {
    const answer = { data: { summary: { created: 1 }, requestId: 'r1' } }
    expect((await send(1, answer)).results[0].body).toEqual(answer)
  })

  it.each([{ error: 'No contacts today' }, { success: false, message: 'No contacts today' }])(
    'a 2xx with %j is a refusal',
    async (answer) => {
      const { results } = await send(1, answer)
      expect(results).toMatchObject([{ status: 400, message: 'EmailSendX refused the request: No contacts today' }])
    }
  )
})

describe('the limit on the bytes of a call', () => {
  /** An identify whose contact is so many bytes of JSON. */
  const sized = (email: string, bytes: number) => {
    const empty = JSON.stringify({ email, metadata: { bio: '' } }).length
    return identify({ email, bio: 'x'.repeat(bytes - empty) })
  }

  it('is kept to the byte, with a comma between two contacts', async () => {
    const api = new FakeApi()
    await deliverBatch('identifyContact', [sized('a@b.co', 500_000), sized('c@d.co', MAX_BODY_BYTES - 500_001)])
    expect(api.bulkCalls).toHaveLength(1)
    await deliverBatch('identifyContact', [sized('a@b.co', 500_000), sized('c@d.co', MAX_BODY_BYTES - 500_000)])
    expect(api.bulkCalls).toHaveLength(3)
  })

  it('refuses a single contact only above it', async () => {
    const api = new FakeApi()
    const results = await deliverBatch('identifyContact', [
      sized('a@b.co', MAX_BODY_BYTES),
      sized('c@d.co', MAX_BODY_BYTES + 1)
    ])
    expect(results.map(({ status }) => status)).toEqual([200, 400])
    expect(results[1].message).toContain(`has ${MAX_BODY_BYTES + 1} bytes of traits`)
    expect(api.bulkCalls).toHaveLength(1)
  })
})

it('a 409 of one list leaves the calls for the others as they are', async () => {
  const api = new FakeApi()
  api.answerBulk = (_contacts, listId) => (listId === 'l1' ? [409, { error: 'Conflict' }] : [200, {}])
  const results = await deliverBatch(
    'identifyContact',
    [identify({ email: 'a@b.co', list: 'l1' }), identify({ email: 'c@d.co', list: 'l2' })],
    { mapping: { listId: { '@path': '$.traits.list' } } }
  )
  expect(results.map(({ status }) => status)).toEqual([503, 200])
})

it.each([400, 413, 422])('a %i of a call is about one of its contacts, who is found', async (status) => {
  const api = new FakeApi()
  api.answerBulk = (contacts) =>
    contacts.some(({ email }) => email === 'p1@x.co') ? [status, { error: 'No' }] : [200, {}]
  const results = await deliverBatch('identifyContact', people(4))
  expect(results.map((result) => result.status)).toEqual([200, status === 413 ? 413 : 400, 200, 200])
})

it('names three reasons at most, and finds an address at the end of a sentence', async () => {
  const api = new FakeApi()
  const errors = [7, null, ' ', ' first ', 'second', 'third', 'fourth']
  api.answerBulk = (contacts) => [200, { data: { summary: { failed: contacts.length }, errors } }]
  expect((await deliverBatch('identifyContact', people(4)))[0].message).toMatch(/: first second third$/)

  api.answerBulk = () => [200, { data: { summary: { failed: 1 }, errors: ['This one is blocked: p2@x.co...'] } }]
  expect((await deliverBatch('identifyContact', people(4))).map(({ status }) => status)).toEqual([200, 200, 400, 200])
})
