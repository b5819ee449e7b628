import { UNKNOWN_CONTACT_WAIT_MS } from '../constants'
import { retry } from '../outcome'
import type { Undelivered } from '../outcome'
import { timeOf } from './event'
import type { Payload } from './generated-types'

/**
 * The outcome of an event whose contact EmailSendX does not have, neither by its address nor, without one, by its user id.
 * Without a word on its time, an event counts as young: Segment itself stops sending it again after four hours.
 */
export function unknownContact(payload: Payload, email: string | undefined, now: number): Undelivered {
  const rule = payload.unknownContact
  const hasEmail = email !== undefined
  const unknown = `EmailSendX has no contact with this ${hasEmail ? 'email address' : 'User ID'}`
  if (rule === 'create' && hasEmail) {
    return retry('EmailSendX does not find the contact that it has just created. The event will be sent again.', 503)
  }
  const waitsUntil = (timeOf(payload) ?? now) + UNKNOWN_CONTACT_WAIT_MS
  if ((rule ?? 'wait') === 'wait' && now < waitsUntil) {
    const message = `${unknown} yet. The event will be sent again until it is one hour old.`
    return { kind: 'unknown_contact', waitsUntil, status: 503, message }
  }
  return { kind: 'unknown_contact', status: 404, message: `${unknown}. ${advice(rule, hasEmail)}` }
}

function advice(rule: Payload['unknownContact'], hasEmail: boolean): string {
  if (hasEmail) return 'Send an identify() for it, or set Unknown Contact to "Create the contact".'
  return rule === 'create'
    ? "It can't be created without an email address: send the address with the event."
    : 'Send an identify() with this User ID and an email address, or the address with the event.'
}
