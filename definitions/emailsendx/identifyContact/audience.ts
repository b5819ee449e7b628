import { resolveAudienceMembership } from '@segment/actions-core'
import type { AudienceMembership } from '@segment/actions-core'
import type { EmailSendX } from '../api'
import { MAX_LOOK_UPS_PER_BATCH } from '../constants'
import { attempt, isObject, isUndelivered } from '../errors'
import type { Memory } from '../memory'
import { retry } from '../outcome'
import type { Outcome } from '../outcome'

/**
 * Whether an identify() of Segment's Engage says that somebody is in an audience (true) or has left it (false); undefined when
 * it is about none. The core tells `perform` the same. It throws for `personas: null`, which this takes for none.
 */
export function membershipOf({ context, traits }: Record<string, unknown>): AudienceMembership {
  if (!isObject(context) || !isObject(context.personas)) return undefined
  return resolveAudienceMembership({ type: 'identify', context, traits })
}

/**
 * Finds out who of those that leave an audience is a contact: nobody is created on the way out. Each is a look-up, so there is
 * a limit, and the others are sent again.
 * @returns the outcomes of those that are not to be sent, by email.
 */
export async function passOver(api: EmailSendX, memory: Memory, emails: string[]): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>()
  let lookUps = 0
  for (const email of emails) {
    if ((await memory.contactIds.get(email)) !== undefined) continue
    const id = lookUps++ < MAX_LOOK_UPS_PER_BATCH ? await attempt(() => api.findContact(email)) : tooMany()
    if (id === undefined) outcomes.set(email, notAContact())
    else if (isUndelivered(id)) outcomes.set(email, id)
    else await memory.contactIds.set(email, id)
  }
  return outcomes
}

function notAContact(): Outcome {
  const message = 'Left an audience and is no contact, so there was nothing to update and nobody was created.'
  return { kind: 'delivered', status: 200, message, sent: {}, answer: {} }
}

function tooMany() {
  return retry('Too many in this batch leave an audience to look all of them up. It will be sent again.', 429)
}
