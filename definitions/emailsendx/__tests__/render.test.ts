import { createTestEvent, createTestIntegration, defaultValues, MultiStatusResponse } from '@segment/actions-core'
import nock from 'nock'
import definition from '..'
import type { Outcome, Undelivered } from '../outcome'
import { answerOrThrow, multiStatus, outcomesOf } from '../render'
import { isolate, ORIGIN, SETTINGS } from './__helpers__/deliver'

isolate()

const DELIVERED: Outcome = {
  kind: 'delivered',
  status: 201,
  message: '',
  sent: { email: 'a@b.co' },
  answer: { data: 1 }
}

const CASES: [Undelivered, string][] = [
  [{ kind: 'invalid', status: 400, message: 'm' }, 'PAYLOAD_VALIDATION_FAILED'],
  [{ kind: 'invalid', status: 413, message: 'm' }, 'PAYLOAD_TOO_LARGE'],
  [{ kind: 'invalid', status: 501, message: 'm' }, 'NOT_IMPLEMENTED'],
  [{ kind: 'unaddressed', status: 400, message: 'm' }, 'PAYLOAD_VALIDATION_FAILED'],
  [{ kind: 'unauthorized', status: 401, message: 'm' }, 'INVALID_AUTHENTICATION'],
  [{ kind: 'forbidden', status: 403, message: 'm' }, 'FORBIDDEN'],
  [{ kind: 'unknown_effect', status: 504, message: 'm' }, 'RETRYABLE_ERROR'],
  [{ kind: 'unknown_contact', status: 503, message: 'm', waitsUntil: 7 }, 'RETRYABLE_ERROR'],
  [{ kind: 'unknown_contact', status: 404, message: 'm' }, 'NOT_FOUND'],
  [{ kind: 'retry', status: 429, message: 'm', retryAfterMs: 7 }, 'RETRYABLE_ERROR'],
  [{ kind: 'misconfigured', setting: 'apiUrl', status: 400, message: 'm' }, 'BAD_REQUEST'],
  [{ kind: 'misconfigured', setting: 'list', status: 404, message: 'm' }, 'NOT_FOUND']
]

function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

it.each(CASES)('%j is %s for Segment, single and in a batch', (outcome, code) => {
  const { status, message } = outcome
  expect(thrownBy(() => answerOrThrow(outcome))).toMatchObject({ status, code, message })
  const row = multiStatus([outcome]).getResponseAtIndex(0).value()
  expect(row).toMatchObject({ status, errortype: code, errormessage: message })
})

it.each([
  [{ kind: 'unauthorized', status: 401, message: 'm' }, 'InvalidAuthenticationError'],
  [{ kind: 'invalid', status: 400, message: 'm' }, 'PayloadValidationError'],
  [{ kind: 'retry', status: 429, message: 'm' }, 'RetryableError'],
  [{ kind: 'forbidden', status: 403, message: 'm' }, 'IntegrationError']
] as [Undelivered, string][])('%j is thrown as %s', (outcome, name) =>
  expect(thrownBy(() => answerOrThrow(outcome))).toHaveProperty('name', name)
)

it.each([[null], [undefined], ['text'], [{}]])('%j has no outcomes', (rendered) =>
  expect(outcomesOf(rendered)).toBeUndefined()
)

it('what was delivered is the answer, and in a batch also what was sent', () => {
  expect(answerOrThrow(DELIVERED)).toEqual({ data: 1 })
  const row = multiStatus([DELIVERED]).getResponseAtIndex(0).value()
  expect(row).toEqual({ status: 201, sent: { email: 'a@b.co' }, body: { data: 1 } })
})

describe('a program that runs the destination', () => {
  const failed = CASES[0][0]

  it('finds the outcomes on what it gets, and nobody else sees them', () => {
    const response = multiStatus([DELIVERED, failed])
    expect(outcomesOf(response)).toEqual([DELIVERED, failed])
    expect(outcomesOf(answerOrThrow(DELIVERED))).toEqual([DELIVERED])
    expect(outcomesOf(thrownBy(() => answerOrThrow(failed)))).toEqual([failed])
    expect(Object.keys(response)).toEqual(Object.keys(new MultiStatusResponse()))
    expect(outcomesOf(undefined)).toBeUndefined()
    expect(outcomesOf({})).toBeUndefined()
  })

  it('finds them behind Segment’s own runner', async () => {
    nock(ORIGIN).post('/api/v1/contacts/bulk').reply(200, {})
    const event = createTestEvent({ type: 'identify', traits: { email: 'a@b.co' } })
    const mapping = defaultValues(definition.actions.identifyContact.fields)
    const run = async () => {
      const action = createTestIntegration(definition).actions.identifyContact
      const results = await action.execute({ data: event as never, mapping, settings: SETTINGS, auth: undefined })
      return outcomesOf(results[results.length - 1].data)
    }
    expect(await run()).toMatchObject([{ kind: 'delivered' }])
    nock(ORIGIN).post('/api/v1/contacts/bulk').reply(401, {})
    expect(outcomesOf(await run().catch((error: unknown) => error))).toMatchObject([{ kind: 'unauthorized' }])
  })
})
