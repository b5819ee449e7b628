import { IntegrationError, RetryableError } from '@segment/actions-core'
import type { RequestClient } from '@segment/actions-core'
import { EmailSendX } from '../api'
import { UNKNOWN_CONTACT_WAIT_MS } from '../constants'
import { CallFailed } from '../errors'
import type { DeliveryError } from '../errors'
import type { Settings } from '../generated-types'
import { failed, refused } from '../outcome'
import type { Outcome } from '../outcome'
import { Contacts } from './contacts'
import { toEvent } from './event'
import type { AddressedEvent } from './event'
import type { Payload } from './generated-types'

/**
 * Fires the events of a batch, one after the other, so that a contact's events keep their order.
 * @returns one outcome for each payload, in their order.
 */
export async function trackEvents(request: RequestClient, settings: Settings, payloads: Payload[]): Promise<Outcome[]> {
  const api = new EmailSendX(request, settings)
  const contacts = new Contacts(api, settings)
  /** A fault that every further call would meet, too (rate limit, bad key, no answer): none is made after it. */
  let stopped: CallFailed | undefined

  const deliver = async (payload: Payload): Promise<Outcome> => {
    const addressed = toEvent(payload)
    if (stopped) return failed(stopped)
    try {
      return await fire(api, contacts, addressed, payload.unknownContact)
    } catch (fault) {
      if (!(fault instanceof CallFailed)) throw fault
      if (!fault.isAboutContent) stopped = fault
      return failed(fault, addressed.event)
    }
  }

  const outcomes: Outcome[] = []
  for (const payload of payloads) {
    outcomes.push(await deliver(payload).catch(refused))
  }
  return outcomes
}

async function fire(
  api: EmailSendX,
  contacts: Contacts,
  { email, event, age }: AddressedEvent,
  rule: Payload['unknownContact']
): Promise<Outcome> {
  /** Undefined: there is no such contact. */
  const fireAt = async (contactId: string | undefined): Promise<Outcome | undefined> => {
    if (contactId === undefined) return undefined
    try {
      const { status, body } = await api.fireEvent(contactId, event)
      return { status, sent: event, answer: body }
    } catch (fault) {
      if (!(fault instanceof CallFailed) || fault.status !== 404) throw fault
      contacts.forget(email)
      return undefined
    }
  }

  const known = await contacts.find(email)
  return (
    (await fireAt(known.id)) ??
    // A remembered contact may have been deleted, and created again under a new id.
    (known.isFresh ? undefined : await fireAt(await contacts.lookUp(email))) ??
    (rule === 'create' ? await fireAt(await contacts.create(email)) : undefined) ?? { error: unknownContact(rule, age) }
  )
}

/** Without a word on age, an event counts as young: Segment itself stops sending it again after four hours. */
function unknownContact(rule: Payload['unknownContact'], age = 0): DeliveryError {
  if ((rule ?? 'wait') === 'wait' && age < UNKNOWN_CONTACT_WAIT_MS) {
    return new RetryableError(
      'EmailSendX has no contact with this email address yet. The event will be sent again until it is one hour old.',
      503
    )
  }
  return new IntegrationError(
    'EmailSendX has no contact with this email address. Send an identify() for it, or set Unknown Contact to "Create the contact".',
    'NOT_FOUND',
    404
  )
}
