import type { RequestClient } from '@segment/actions-core'
import { EmailSendX } from '../api'
import { UNKNOWN_CONTACT_WAIT_MS } from '../constants'
import { attempt, isObject, isUndelivered, outcomeOfError, withSent } from '../errors'
import type { Settings } from '../generated-types'
import { retry } from '../outcome'
import type { Outcome, Undelivered } from '../outcome'
import type { CustomEvent } from '../types'
import { contactIdsOf } from './contacts'
import type { ContactIds } from './contacts'
import { toEvent } from './event'
import type { Payload } from './generated-types'

/** What a program that fires events by itself may plug in. What one of these functions throws is thrown on untouched. */
export interface TrackOptions {
  /** Waited for right before the request that fires the event. When it throws, nothing is fired. */
  beforeFiring?: () => Promise<void>
  /** Where the ids of contacts are kept. By default they are remembered in this process. */
  contactIds?: ContactIds
  /** ms since 1970. */
  now?: () => number
}

/** Fires one event on its contact, with as few calls as it takes to find the contact. */
export async function trackEvent(
  client: RequestClient,
  settings: Settings,
  payload: Payload,
  options: TrackOptions = {}
): Promise<Outcome> {
  const api = new EmailSendX(client, settings)
  const outcome = await deliver(api, payload, { contactIds: contactIdsOf(settings), ...options })
  return { ...outcome, pace: api.pace }
}

async function deliver(
  api: EmailSendX,
  payload: Payload,
  { contactIds, beforeFiring, now = Date.now }: TrackOptions & { contactIds: ContactIds }
): Promise<Outcome> {
  const addressed = await attempt(() => toEvent(payload, now()))
  if (isUndelivered(addressed)) return addressed
  const { email, event, time } = addressed

  /** Undefined: EmailSendX has no contact with this id. */
  const fireAt = async (id: string): Promise<Outcome | undefined> => {
    await beforeFiring?.()
    const outcome = await attempt(() => fire(api, id, event))
    return outcome.kind === 'unknown_contact' ? undefined : outcome
  }

  const remembered = await contactIds.get(email)
  if (remembered !== undefined) {
    const outcome = await fireAt(remembered)
    if (outcome) return outcome
    // It was deleted, and may have been created again under another id.
    await contactIds.delete(email)
  }

  const found = await attempt(() => api.findContact(email))
  if (isUndelivered(found)) return found
  if (found !== undefined) {
    await contactIds.set(email, found)
    const outcome = await fireAt(found)
    if (outcome) return outcome
    await contactIds.delete(email)
  }

  if (payload.unknownContact !== 'create') return unknownContact(payload.unknownContact, time, now())
  const created = await attempt(() => create(api, email))
  if (isUndelivered(created)) return created
  if (created === undefined) return notThereYet()
  await contactIds.set(email, created)
  return (await fireAt(created)) ?? notThereYet()
}

async function fire(api: EmailSendX, id: string, event: CustomEvent): Promise<Outcome> {
  try {
    const { status, body, data } = await api.fireEvent(id, event)
    return { kind: 'delivered', status, message: firedWords(data), sent: event, answer: body }
  } catch (error) {
    return withSent(outcomeOfError(error), event)
  }
}

async function create(api: EmailSendX, email: string): Promise<string | undefined> {
  return (await api.upsertContact({ email })) ?? (await api.findContact(email))
}

/** `matchingAutomations` is documented; a server may leave it out. */
function firedWords(data: unknown): string {
  const count = isObject(data) ? data.matchingAutomations : undefined
  if (typeof count !== 'number') return 'The event is fired.'
  if (count === 0) return 'The event is fired; no automation waits for it.'
  return `The event is fired; ${count === 1 ? 'one automation starts' : `${count} automations start`}.`
}

/** Without a word on its time, an event counts as young: Segment itself stops sending it again after four hours. */
function unknownContact(rule: Payload['unknownContact'], time: number | undefined, now: number): Undelivered {
  const waitsUntil = (time ?? now) + UNKNOWN_CONTACT_WAIT_MS
  if ((rule ?? 'wait') === 'wait' && now < waitsUntil) {
    return {
      kind: 'unknown_contact',
      waitsUntil,
      status: 503,
      message:
        'EmailSendX has no contact with this email address yet. The event will be sent again until it is one hour old.'
    }
  }
  return {
    kind: 'unknown_contact',
    status: 404,
    message:
      'EmailSendX has no contact with this email address. Send an identify() for it, or set Unknown Contact to "Create the contact".'
  }
}

function notThereYet(): Undelivered {
  return retry('EmailSendX does not find the contact that it has just created. The event will be sent again.', 503)
}
