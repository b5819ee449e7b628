import type { JSONObject } from '@segment/actions-core'
import { checkObject } from '../common-fields'
import { resolveEmail } from '../email'
import { NotDelivered } from '../errors'
import type { Ids } from '../memory'
import { unaddressed } from '../outcome'
import type { ContactRow } from '../types'
import type { Payload } from './generated-types'
import { toMetadata } from './metadata'

/**
 * The contact that an identify describes. Blank values are left out, so that none wipes what EmailSendX already knows.
 * Mapped fields beat traits of the same meaning.
 * @param emailOf finds the address of an identify that gives none.
 * @throws PayloadValidationError when the email is none, or a trait can't be stored; NotDelivered when there is no email.
 */
export function toContact(payload: Payload, emailOf: (ids: Ids) => string | undefined = () => undefined): ContactRow {
  const traits = (payload.traits ?? {}) as JSONObject
  checkObject('Traits', traits)
  const email = resolveEmail(payload) ?? emailOf(payload)
  if (email === undefined) throw withoutAddress()
  const contact: ContactRow = { email }
  let firstName = firstText(payload.firstName, traits.firstName, traits.first_name)
  let lastName = firstText(payload.lastName, traits.lastName, traits.last_name)
  if (payload.splitName && !firstName && !lastName) [firstName, lastName] = split(traits.name)
  const metadata = toMetadata(traits, payload.nestedTraits, payload.metadataNames)
  if (firstName) contact.firstName = firstName
  if (lastName) contact.lastName = lastName
  if (Object.keys(metadata).length > 0) contact.metadata = metadata
  return contact
}

function withoutAddress(): NotDelivered {
  return new NotDelivered(
    unaddressed(
      'No email address: the Email field is empty and the User ID is not an email address. EmailSendX knows contacts by their address, so map Email to where your events carry it.'
    )
  )
}

/** The second contact's values over the first's, as EmailSendX itself would merge two upserts of one email. */
export function mergeContacts(older: ContactRow, newer: ContactRow): ContactRow {
  const metadata = { ...older.metadata, ...newer.metadata }
  return { ...older, ...newer, ...(Object.keys(metadata).length > 0 && { metadata }) }
}

/** A boolean that Segment has made a text of is no name. */
function firstText(...candidates: unknown[]): string | undefined {
  for (const candidate of candidates) {
    const text = typeof candidate === 'string' || typeof candidate === 'number' ? String(candidate).trim() : ''
    if (text !== '' && text !== 'true' && text !== 'false') return text
  }
  return undefined
}

/** `Morgan Ann Lee` is `Morgan` and `Ann Lee`. */
function split(name: unknown): [string | undefined, string | undefined] {
  const [first, ...rest] = (firstText(name) ?? '').split(/\s+/)
  return [first, rest.join(' ')]
}
