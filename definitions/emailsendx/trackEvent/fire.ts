import type { EmailSendX } from '../api'
import { attempt, isObject, isUndelivered, outcomeOfError, withSent } from '../errors'
import type { ContactIds } from '../memory'
import type { Outcome } from '../outcome'
import type { ReadyEvent } from './event'

interface FireOptions {
  contactIds: ContactIds
  /** Create the contact where there is none. */
  creates: boolean
  beforeFiring?: () => Promise<void>
}

/** Fires an event on the contact with this address. @returns undefined when EmailSendX has no such contact. */
export async function fireByEmail(
  api: EmailSendX,
  email: string,
  ready: ReadyEvent,
  { contactIds, creates, beforeFiring }: FireOptions
): Promise<Outcome | undefined> {
  const fireAt = async (id: string): Promise<Outcome | undefined> => {
    await beforeFiring?.()
    const outcome = await fire(api, id, ready)
    if (outcome.kind !== 'unknown_contact') return outcome
    await contactIds.delete(email)
  }

  const remembered = await contactIds.get(email)
  // A remembered contact may have been deleted, and created again under another id.
  const outcome = remembered === undefined ? undefined : await fireAt(remembered)
  if (outcome) return outcome
  for (const find of creates ? [findContact, createContact] : [findContact]) {
    const id = await attempt(() => find(api, email))
    if (isUndelivered(id)) return id
    if (id === undefined) continue
    await contactIds.set(email, id)
    const outcome = await fireAt(id)
    if (outcome) return outcome
  }
}

async function fire(api: EmailSendX, id: string, { event, json }: ReadyEvent): Promise<Outcome> {
  try {
    const { status, body, data } = await api.fireEvent(id, json)
    return { kind: 'delivered', status, message: firedWords(data), sent: event, answer: body }
  } catch (error) {
    return withSent(outcomeOfError(error), event)
  }
}

async function findContact(api: EmailSendX, email: string): Promise<string | undefined> {
  return api.findContact(email)
}

/** The answer to a creation has the id, or so it seems. */
async function createContact(api: EmailSendX, email: string): Promise<string | undefined> {
  return (await api.upsertContact({ email })) ?? (await api.findContact(email))
}

/** What an answer says about the automations that the event starts. `matchingAutomations` is documented, and may be missing. */
export function firedWords(data: unknown): string {
  const count = isObject(data) ? data.matchingAutomations : undefined
  if (typeof count !== 'number') return 'The event is fired.'
  if (count === 0) return 'The event is fired; no automation waits for it.'
  return `The event is fired; ${count === 1 ? 'one automation starts' : `${count} automations start`}.`
}
