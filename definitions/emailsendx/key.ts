import type { RequestClient } from '@segment/actions-core'
import { EmailSendX } from './api'
import { attempt, isNotDelivered, isUndelivered } from './errors'
import type { Settings } from './generated-types'
import type { Outcome } from './outcome'

/**
 * Makes the cheapest call that needs a valid key. `whoami` is known from the vendor's client only, and older self-hosted
 * servers may lack it.
 */
export async function checkKey(api: EmailSendX): Promise<void> {
  try {
    await api.whoami()
  } catch (fault) {
    if (!isNotDelivered(fault) || fault.answered !== 404) throw fault
    await api.firstContact()
  }
}

/** The same as a function that throws nothing. */
export async function askForKey(client: RequestClient, settings: Settings): Promise<Outcome> {
  const api = new EmailSendX(client, settings)
  const fault = await attempt(() => checkKey(api))
  const outcome: Outcome = isUndelivered(fault)
    ? fault
    : { kind: 'delivered', status: 200, message: 'EmailSendX knows the API key.', sent: {}, answer: {} }
  return { ...outcome, pace: api.pace }
}
