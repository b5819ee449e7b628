import type { JSONObject } from '@segment/actions-core'
import type { EmailSendX } from '../api'
import { attempt, isUndelivered, withSent } from '../errors'
import type { Memory } from '../memory'
import { unaddressed } from '../outcome'
import type { Outcome } from '../outcome'
import type { SegmentCall } from '../types'
import { propertiesOf } from './event'
import { firedWords } from './fire'
import type { Payload } from './generated-types'

/**
 * The outcome of an event that says no address: EmailSendX finds the contact by the user id, if it may and can.
 * @returns undefined when EmailSendX knows no contact with this user id.
 */
export async function handOver(
  api: EmailSendX,
  memory: Memory,
  payload: Payload,
  eventName: string,
  beforeFiring?: () => Promise<void>
): Promise<Outcome | undefined> {
  if (!payload.userId?.trim())
    return unaddressed(`No email address and no User ID, so the event belongs to nobody. ${ADVICE}`)
  if (payload.withoutEmail === 'reject') {
    return unaddressed(`No email address, and this mapping rejects events without one. ${ADVICE}`)
  }
  if (!memory.lacksEndpoint()) {
    const call = toCall(payload, eventName)
    await beforeFiring?.()
    const reply = await attempt(() => api.handOver(call))
    if (isUndelivered(reply)) return reply.kind === 'unknown_contact' ? undefined : withSent(reply, call)
    if (reply) {
      const { status, body, data } = reply
      const message = `EmailSendX took the event and finds the contact by its User ID. ${firedWords(data)}`
      return { kind: 'delivered', status, message, sent: call, answer: body }
    }
    memory.noteMissingEndpoint()
  }
  return unaddressed(
    `No email address, and this EmailSendX server can't find contacts by User ID: it lacks /api/segment/track. ${ADVICE} Or update the server.`
  )
}

const ADVICE =
  'Send the address with the event: context.traits.email on servers, a source middleware that adds it on websites.'

/** Segment's webhook payload, without anything that was not given. */
function toCall(payload: Payload, event: string): SegmentCall {
  const { userId = '', anonymousId, messageId, timestamp, context } = payload
  const properties = propertiesOf(payload)
  return {
    type: 'track',
    userId,
    event,
    ...(anonymousId && { anonymousId }),
    ...(messageId && { messageId }),
    ...(timestamp && { timestamp }),
    ...(properties && { properties }),
    ...(context && { context: context as JSONObject })
  }
}
