import type { EmailSendX, Reply } from '../api'
import { MAX_BODY_BYTES, MAX_CONTACTS_PER_CALL, MAX_EXTRA_CALLS } from '../constants'
import { isNotDelivered, isObject, outcomeOfError, withSent } from '../errors'
import { invalid, retry } from '../outcome'
import type { Outcome, Undelivered } from '../outcome'
import type { BulkReport, ContactRow } from '../types'

/**
 * The bulk calls of one batch. A bulk call may take some contacts and refuse others without saying which. The refused ones
 * are then found by sending halves again: upserts are idempotent, so that a contact may be sent twice.
 */
export class BulkUpsert {
  private readonly outcomes = new Map<string, Outcome>()
  private extraCalls = MAX_EXTRA_CALLS
  /** A fault that every further call would meet, too (rate limit, bad key, no answer): none is made after it. */
  private stopped?: Undelivered

  constructor(private readonly api: EmailSendX) {}

  /** Creates or updates the contacts and adds them to the list, where there is one. No email may be there twice. */
  async send(contacts: ContactRow[], listId?: string): Promise<void> {
    for (const portion of inPortions(contacts)) {
      await this.settle(portion, listId)
    }
  }

  /** What became of a contact that was sent. */
  outcomeOf(email: string, listId?: string): Outcome {
    return this.outcomes.get(outcomeKey(email, listId)) as Outcome
  }

  /** @returns how many of the contacts EmailSendX refused; NaN when that is not known. */
  private async settle(contacts: ContactRow[], listId?: string): Promise<number> {
    if (this.stopped) return this.giveUp(contacts, listId, this.stopped)
    try {
      const reply = await this.api.upsertContacts(contacts, listId)
      const refused = readReport(reply.data, contacts)
      if (typeof refused === 'number') return this.halve(contacts, listId, refused, reply)
      this.record(contacts, listId, (contact) => {
        const reason = refused.get(contact.email)
        return reason === undefined ? delivered(contact, reply) : rejected(contact, reply, reason)
      })
      return refused.size
    } catch (error) {
      const outcome = outcomeOfError(error)
      const answered = isNotDelivered(error) ? error.answered : undefined
      const isAboutOneOfThem = outcome.kind === 'invalid' && [400, 413, 422].includes(answered ?? 0)
      if (isAboutOneOfThem && contacts.length > 1) return this.halve(contacts, listId, contacts.length)
      if (!isAboutOneOfThem && answered !== 409 && !isAboutList(outcome))
        this.stopped = { ...outcome, answer: undefined }
      this.record(contacts, listId, (contact) => withSent(outcome, contact))
      return isAboutOneOfThem ? contacts.length : NaN
    }
  }

  /** Finds the refused among the contacts. After a reply, no more than it counted are refused, and all others were taken. */
  private async halve(contacts: ContactRow[], listId: string | undefined, refused: number, reply?: Reply<BulkReport>) {
    const middle = Math.ceil(contacts.length / 2)
    const right = contacts.slice(middle)
    const refusedLeft = await this.settleAgain(contacts.slice(0, middle), listId)
    if (reply && refusedLeft === refused) {
      this.record(right, listId, (contact) => delivered(contact, reply))
      return refused
    }
    return refusedLeft + (await this.settleAgain(right, listId))
  }

  private async settleAgain(contacts: ContactRow[], listId?: string): Promise<number> {
    if (this.extraCalls === 0) return this.giveUp(contacts, listId, inDoubt())
    if (!this.stopped) this.extraCalls--
    return this.settle(contacts, listId)
  }

  private giveUp(contacts: ContactRow[], listId: string | undefined, outcome: Outcome): number {
    this.record(contacts, listId, () => outcome)
    return NaN
  }

  private record(contacts: ContactRow[], listId: string | undefined, outcome: (contact: ContactRow) => Outcome): void {
    for (const contact of contacts) this.outcomes.set(outcomeKey(contact.email, listId), outcome(contact))
  }
}

/** As few calls as the limits on rows and bytes of one call allow, in order. */
function inPortions(contacts: ContactRow[]): ContactRow[][] {
  const portions: ContactRow[][] = []
  let bytes = 0
  for (const contact of contacts) {
    const size = Buffer.byteLength(JSON.stringify(contact)) + 1
    const portion = portions[portions.length - 1]
    if (portion && portion.length < MAX_CONTACTS_PER_CALL && bytes + size <= MAX_BODY_BYTES) {
      portion.push(contact)
      bytes += size
    } else {
      portions.push([contact])
      bytes = size
    }
  }
  return portions
}

/**
 * The refused contacts of a call with the reason for each, or just their number when the report does not name them.
 * Nothing documents an `email` in an entry of `errors`; where there is one, it saves the search.
 */
function readReport({ summary, errors }: BulkReport, contacts: ContactRow[]): Map<string, string> | number {
  const entries = Array.isArray(errors) ? errors : []
  const count = Number(summary?.failed ?? entries.length) || 0
  if (count >= contacts.length) {
    const reason = entries.map(textOf).join(' ')
    return new Map(contacts.map(({ email }) => [email, reason]))
  }
  const sent = new Set(contacts.map(({ email }) => email))
  const named = new Map(
    entries.filter(isObject).flatMap((entry) => {
      const email = typeof entry.email === 'string' ? entry.email.trim().toLowerCase() : ''
      return sent.has(email) ? [[email, textOf(entry)] as const] : []
    })
  )
  return named.size === count ? named : count
}

function textOf(entry: unknown): string {
  const text = isObject(entry) ? entry.message ?? entry.error : entry
  return typeof text === 'string' ? text.trim() : ''
}

function isAboutList(outcome: Undelivered): boolean {
  return outcome.kind === 'misconfigured' && outcome.setting === 'list'
}

function delivered(sent: ContactRow, { status, body }: Reply<BulkReport>): Outcome {
  return { kind: 'delivered', status, message: 'The contact is created or updated.', sent, answer: body }
}

function rejected(sent: ContactRow, { body }: Reply<BulkReport>, reason: string): Outcome {
  return { ...invalid(`EmailSendX did not accept the contact: ${reason || 'no reason given'}`), sent, answer: body }
}

function inDoubt(): Undelivered {
  return retry(
    'EmailSendX refused some contacts of this batch without naming them, and this one is still in doubt. It will be sent again.',
    429
  )
}

function outcomeKey(email: string, listId = ''): string {
  return `${listId} ${email}`
}
