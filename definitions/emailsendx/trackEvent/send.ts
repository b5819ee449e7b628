import type { RequestClient } from '@segment/actions-core'
import { EmailSendX } from '../api'
import { attempt, isUndelivered } from '../errors'
import type { Settings } from '../generated-types'
import { Memory } from '../memory'
import type { ContactIds } from '../memory'
import type { Outcome } from '../outcome'
import { toEvent } from './event'
import { fireByEmail } from './fire'
import type { Payload } from './generated-types'
import { handOver } from './hand-over'
import { unknownContact } from './unknown-contact'

/** What a program that fires events by itself may plug in. What one of these functions throws is thrown on untouched. */
export interface TrackOptions {
  /** Waited for right before the request that fires the event. When it throws, nothing is fired. */
  beforeFiring?: () => Promise<void>
  /** Where the ids of contacts are kept. By default they are remembered in this process. */
  contactIds?: ContactIds
  /** ms since 1970. */
  now?: () => number
}

/** Fires one event on its contact, with as few requests as it takes to find the contact. */
export async function track(api: EmailSendX, payload: Payload, options: TrackOptions = {}): Promise<Outcome> {
  const memory = new Memory(api.settings)
  const { beforeFiring, contactIds = memory.contactIds, now = Date.now } = options
  const ready = await attempt(() => toEvent(payload, now()))
  if (isUndelivered(ready)) return ready
  // What an identify told of a userId says more than that the userId looks like an address: it may be a former one.
  const told = payload.email?.trim() ? undefined : memory.emailOf({ userId: payload.userId })
  const email = told ?? ready.email ?? memory.emailOf(payload)
  const outcome =
    email === undefined
      ? await handOver(api, memory, payload, ready.event.name, beforeFiring)
      : await fireByEmail(api, email, ready, { contactIds, creates: payload.unknownContact === 'create', beforeFiring })
  return outcome ?? unknownContact(payload, email, now())
}

/** The same for programs, which can keep to the pace of the API: the outcome tells it. */
export async function trackEvent(
  client: RequestClient,
  settings: Settings,
  payload: Payload,
  options?: TrackOptions
): Promise<Outcome> {
  const api = new EmailSendX(client, settings)
  const outcome = await track(api, payload, options)
  return { ...outcome, pace: api.pace }
}
