import type { EmailSendX } from '../api'
import { MAX_LINKS_PER_BATCH, REQUESTS_LEFT_TO_EVENTS } from '../constants'
import { toEmail } from '../address'
import { attempt, isUndelivered } from '../errors'
import type { Memory } from '../memory'
import type { Outcome } from '../outcome'
import type { Payload } from './generated-types'

/** An identify of a batch, with what became of it. */
export interface Identified {
  payload: Payload
  email: string
  outcome: Outcome
}

/**
 * Tells EmailSendX which user ids the contacts of a batch have, so that it finds them by events that have no address. Each
 * is a request of its own, so there is a limit: those identified last go first, since their events are about to come, and
 * the others follow with their next identify. What can't be told is said in the outcome of a contact, and never fails it.
 */
export async function linkUserIds(api: EmailSendX, memory: Memory, rows: Identified[]): Promise<void> {
  const untold = new Map<string, string>()
  for (const { payload, email, outcome } of rows) {
    if (outcome.kind !== 'delivered') continue
    const isLinked = memory.learn(payload, email)
    const { userId, linkUserId } = payload
    if (!userId?.trim() || linkUserId === false) continue
    untold.delete(userId)
    if (!isLinked && toEmail(userId) !== email) untold.set(userId, email)
  }
  if (untold.size === 0) return

  const problems = await tell(api, memory, [...untold].reverse())
  for (const row of rows) {
    const problem = untold.get(row.payload.userId ?? '') === row.email && problems.get(row.payload.userId ?? '')
    if (problem) row.outcome = { ...row.outcome, message: `${row.outcome.message} ${problem}` }
  }
}

/** @returns why, for those that EmailSendX does not know now. */
async function tell(api: EmailSendX, memory: Memory, pairs: [userId: string, email: string][]) {
  const problems = new Map<string, string>()
  /** What the next call would meet, too. */
  let obstacle: string | undefined
  for (const [index, [userId, email]] of pairs.entries()) {
    if (memory.lacksEndpoint()) obstacle = NO_ENDPOINT
    else if (index >= MAX_LINKS_PER_BATCH || (api.pace?.remaining ?? Infinity) <= REQUESTS_LEFT_TO_EVENTS) {
      obstacle ??= LATER
    }
    if (obstacle === undefined) {
      const reply = await attempt(() => api.handOver({ type: 'identify', userId, traits: { email } }))
      if (reply === undefined) {
        memory.noteMissingEndpoint()
        obstacle = NO_ENDPOINT
      } else if (!isUndelivered(reply)) {
        memory.link(userId, email)
      } else if (reply.kind === 'invalid') {
        // The same call would be refused again.
        memory.link(userId, email)
        problems.set(userId, `Its User ID can't be linked: ${reply.message}`)
      } else {
        obstacle = `Its User ID could not be linked: ${reply.message}`
      }
    }
    if (obstacle !== undefined) problems.set(userId, obstacle)
  }
  return problems
}

const LATER = 'Its User ID will be linked with the next identify(), to leave requests to events.'
const NO_ENDPOINT =
  'Its User ID can’t be linked, because this EmailSendX server lacks /api/segment/track: give events an address.'
