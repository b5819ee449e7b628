import type { EmailSendX, Reply } from '../api'
import { MAX_BODY_BYTES, MAX_CONTACTS_PER_CALL, MAX_EXTRA_CALLS } from '../constants'
import { isNotDelivered, outcomeOfError, withSent } from '../errors'
import { invalid, retry } from '../outcome'
import type { Outcome, Undelivered } from '../outcome'
import type { BulkReport, BulkTarget, ContactRow } from '../types'
import { answerTo, readReport } from './report'

/**
 * The bulk calls of one batch. A bulk call may take some contacts and refuse others without saying which. The refused ones
 * are then found by sending halves again: upserts are idempotent, so that a contact may be sent twice.
 */
export class BulkUpsert {
  private extraCalls = MAX_EXTRA_CALLS
  /** A fault that every further call would meet, too (rate limit, bad key, no answer): none is made after it. */
  private stopped?: Undelivered

  constructor(private readonly api: EmailSendX) {}

  /**
   * Creates or updates the contacts, and adds them to the target's list. No email may be there twice.
   * @returns what became of each, by email.
   */
  async send(contacts: ContactRow[], target: BulkTarget): Promise<Map<string, Outcome>> {
    const outcomes = new Map<string, Outcome>()
    for (const rows of inPortions(contacts, outcomes)) await this.settle({ rows, target, outcomes })
    return outcomes
  }

  /** @returns how many of the contacts EmailSendX refused; NaN when that is not known. */
  private async settle(portion: Portion): Promise<number> {
    const { rows, target } = portion
    if (this.stopped) return giveUp(portion, this.stopped)
    try {
      const reply = await this.api.upsertContacts(
        rows.map(({ json }) => json),
        target
      )
      const refused = readReport(
        reply.data,
        rows.map(({ contact }) => contact.email)
      )
      if (typeof refused === 'number') return await this.halve(portion, refused, reply)
      record(portion, (contact) => {
        const reason = refused.get(contact.email)
        return reason === undefined ? delivered(contact, reply) : rejected(contact, reply, reason)
      })
      return refused.size
    } catch (error) {
      const outcome = outcomeOfError(error)
      const answered = isNotDelivered(error) ? error.answered : undefined
      const isAboutOneOfThem = outcome.kind === 'invalid' && [400, 413, 422].includes(answered ?? 0)
      if (isAboutOneOfThem && rows.length > 1) return this.halve(portion, rows.length)
      if (!isAboutOneOfThem && answered !== 409 && !isAboutList(outcome)) {
        this.stopped = { ...outcome, answer: undefined }
      }
      record(portion, (contact) => withSent(outcome, contact))
      return isAboutOneOfThem ? rows.length : NaN
    }
  }

  /** Finds the refused among the contacts. After a reply, no more than it counted are refused, and all others were taken. */
  private async halve(portion: Portion, refused: number, reply?: Reply<BulkReport>): Promise<number> {
    const middle = Math.ceil(portion.rows.length / 2)
    const left = { ...portion, rows: portion.rows.slice(0, middle) }
    const right = { ...portion, rows: portion.rows.slice(middle) }
    const refusedLeft = await this.settleAgain(left)
    if (reply && refusedLeft === refused) {
      record(right, (contact) => delivered(contact, reply))
      return refused
    }
    return refusedLeft + (await this.settleAgain(right))
  }

  private async settleAgain(portion: Portion): Promise<number> {
    if (this.extraCalls === 0) return giveUp(portion, inDoubt())
    this.extraCalls--
    return this.settle(portion)
  }
}

/** A contact with its JSON, which is made once: to be measured, and to be sent. */
interface Row {
  contact: ContactRow
  json: string
}

/** Contacts of one call, and where their outcomes go. */
interface Portion {
  rows: Row[]
  target: BulkTarget
  outcomes: Map<string, Outcome>
}

function giveUp(portion: Portion, outcome: Outcome): number {
  record(portion, () => outcome)
  return NaN
}

function record({ rows, outcomes }: Portion, outcome: (contact: ContactRow) => Outcome): void {
  for (const { contact } of rows) outcomes.set(contact.email, outcome(contact))
}

/** As few calls as the limits on rows and bytes of one call allow, in order. A contact too large for any is refused. */
function inPortions(contacts: ContactRow[], outcomes: Map<string, Outcome>): Row[][] {
  const portions: Row[][] = []
  let bytes = 0
  for (const contact of contacts) {
    const json = JSON.stringify(contact)
    const size = Buffer.byteLength(json)
    const portion = portions[portions.length - 1]
    if (size > MAX_BODY_BYTES) {
      outcomes.set(contact.email, tooLarge(size))
    } else if (portion && portion.length < MAX_CONTACTS_PER_CALL && bytes + 1 + size <= MAX_BODY_BYTES) {
      portion.push({ contact, json })
      bytes += 1 + size
    } else {
      portions.push([{ contact, json }])
      bytes = size
    }
  }
  return portions
}

function tooLarge(bytes: number): Undelivered {
  return invalid(
    `The contact has ${bytes} bytes of traits, at most ${MAX_BODY_BYTES} can be sent. Map fewer or shorter traits.`
  )
}

function isAboutList(outcome: Undelivered): boolean {
  return outcome.kind === 'misconfigured' && outcome.setting === 'list'
}

function delivered(sent: ContactRow, reply: Reply<BulkReport>): Outcome {
  const { status } = reply
  return { kind: 'delivered', status, message: 'The contact is created or updated.', sent, answer: answerTo(reply) }
}

function rejected(sent: ContactRow, reply: Reply<BulkReport>, reason: string): Outcome {
  const message = `EmailSendX did not accept the contact: ${reason || 'no reason given'}`
  return { ...invalid(message), sent, answer: answerTo(reply, reason) }
}

function inDoubt(): Undelivered {
  return retry(
    'EmailSendX refused some contacts of this batch without naming them, and this one is still in doubt. It will be sent again.',
    429
  )
}
