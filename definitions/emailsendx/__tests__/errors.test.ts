import { createRequestClient } from '@segment/actions-core'
import nock from 'nock'
import { explain, isRefusal, NotDelivered, outcomeOfError, tooSlow } from '../errors'
import { identifyContacts, requestOptions } from '../functions'
import { invalid } from '../outcome'
import { isolate, ORIGIN, SETTINGS } from './__helpers__/deliver'

isolate()

const client = createRequestClient(requestOptions(SETTINGS))

const SERVER = { server: ORIGIN }

/** An error as actions-core throws it, from whichever copy of it. */
const error = (message: string, more: object) => Object.assign(new Error(message), more)

describe('an error of Segment’s core', () => {
  it.each([
    [400, { kind: 'invalid', status: 400, message: 'No' }],
    [401, { kind: 'unauthorized', status: 401, message: 'No' }],
    [429, { kind: 'retry', status: 429, message: 'No' }],
    [500, { kind: 'retry', status: 500, message: 'No' }],
    [501, { kind: 'invalid', status: 501, message: 'No' }],
    [507, { kind: 'retry', status: 503, message: 'No' }]
  ])('with status %i keeps its words and means %j', (status, meaning) => {
    expect(outcomeOfError(error('No', { status }))).toEqual(meaning)
    expect(explain(error('No', { status }), SERVER).outcome).toEqual(meaning)
  })

  it.each(['REQUESTTIMEOUTERROR', 'REQUESTCLIENTERROR'])('%s may come after the event was fired', (code) => {
    const aborted = error('aborted', { status: 408, code })
    expect(explain(aborted, SERVER).outcome).toEqual({
      kind: 'retry',
      status: 408,
      message: 'Segment ended the request before EmailSendX answered. The event will be sent again.'
    })
    expect(explain(aborted, { ...SERVER, fires: true }).outcome).toMatchObject({ kind: 'unknown_effect', status: 408 })
  })

  it('without a code may come after the event was fired', () =>
    expect(explain(error('?', {}), { ...SERVER, fires: true }).outcome).toMatchObject({
      kind: 'unknown_effect',
      status: 503,
      message: expect.stringContaining('(unknown reason)') as string
    }))
})

it('what is explained once keeps its outcome and what was answered', () => {
  const fault = new NotDelivered(invalid('No'), 422)
  expect(explain(fault, SERVER)).toBe(fault)
})

it('a deadline is told in seconds', () =>
  expect(tooSlow(SERVER).outcome.message).toContain(`${ORIGIN} did not answer within 30 seconds.`))

it.each([
  [{}, false],
  [{ error: '' }, false],
  [{ success: true }, false],
  [{ error: 'No' }, true],
  [{ success: false }, true]
])('the body %j of a 2xx refuses: %j', (body, refuses) => expect(isRefusal(body)).toBe(refuses))

describe('a refusal', () => {
  const refused = async (words: string, listId?: string) => {
    nock(ORIGIN).post('/api/v1/contacts/bulk').reply(400, { error: words })
    return (await identifyContacts(client, SETTINGS, [{ email: 'a@b.co', listId }]))[0]
  }

  it.each(['List not found', 'The list does not exist', 'Unknown list', 'listId is invalid'])(
    'is about the list when it says %j, and there is one',
    async (words) => {
      expect(await refused(words, 'l1')).toMatchObject({ kind: 'misconfigured', setting: 'list' })
      expect(await refused(words)).toMatchObject({ kind: 'invalid' })
    }
  )

  it.each(['The email is invalid', 'The list is full', 'Enlisted contacts are unknown'])(
    'is about the contact when it says %j',
    async (words) => expect(await refused(words, 'l1')).toMatchObject({ kind: 'invalid' })
  )
})

describe('what is reported of a fault', () => {
  const bulk = () => nock(ORIGIN).post('/api/v1/contacts/bulk')
  const identify = async () => (await identifyContacts(client, SETTINGS, [{ email: 'a@b.co' }]))[0]

  it('is as much of a page as a person reads', async () => {
    bulk().reply(500, '<p>'.repeat(10_000))
    expect((await identify()).answer).toHaveLength(500)
  })

  it('is the text of an answer that is JSON, but no object', async () => {
    bulk().reply(500, '[1]')
    expect((await identify()).answer).toBe('[1]')
  })

  it('is where a redirect leads to, if it says so', async () => {
    bulk().reply(302)
    expect((await identify()).message).toContain(`${ORIGIN} redirects to another address.`)
  })

  it('is what was sent where EmailSendX answered, and nothing where it did not', async () => {
    bulk().reply(400, { error: 'No' })
    expect(await identify()).toMatchObject({ sent: { email: 'a@b.co' }, answer: { error: 'No' } })
    bulk().replyWithError({ code: 'ECONNRESET' })
    expect(await identify()).not.toHaveProperty('sent')
  })
})
