import { PayloadValidationError } from '@segment/actions-core'
import type { JSONObject, JSONValue } from '@segment/actions-core'
import { MAX_BODY_BYTES, MAX_DEPTH, MAX_KEY_LENGTH } from '../constants'
import { resolveEmail } from '../email'
import { isObject, NotDelivered } from '../errors'
import type { Ids } from '../memory'
import { unaddressed } from '../outcome'
import type { Undelivered } from '../outcome'
import type { ContactRow } from '../types'
import type { Payload } from './generated-types'

/** Traits that have a place of their own on the contact, in either spelling. All others become metadata. */
const NAMED_TRAITS = new Set(['email', 'firstName', 'first_name', 'lastName', 'last_name'])

/**
 * The contact that an identify describes. Blank values are left out, so that none wipes what EmailSendX already knows.
 * Mapped fields beat traits of the same meaning.
 * @param emailOf finds the address of an identify that gives none.
 * @throws PayloadValidationError when the email is none, or a trait can't be stored; NotDelivered when there is no email.
 */
export function toContact(payload: Payload, emailOf: (ids: Ids) => string | undefined = () => undefined): ContactRow {
  const traits = (payload.traits ?? {}) as JSONObject
  const email = resolveEmail(payload) ?? emailOf(payload)
  if (email === undefined) throw new NotDelivered(withoutAddress())
  const contact: ContactRow = { email }
  const firstName = firstText(payload.firstName, traits.firstName, traits.first_name)
  const lastName = firstText(payload.lastName, traits.lastName, traits.last_name)
  const metadata = toMetadata(traits, payload.nestedTraits)
  if (firstName) contact.firstName = firstName
  if (lastName) contact.lastName = lastName
  if (Object.keys(metadata).length > 0) contact.metadata = metadata

  const bytes = Buffer.byteLength(JSON.stringify(contact))
  if (bytes > MAX_BODY_BYTES) {
    throw new PayloadValidationError(
      `The contact has ${bytes} bytes of traits, at most ${MAX_BODY_BYTES} can be sent. Map fewer or shorter traits.`
    )
  }
  return contact
}

function withoutAddress(): Undelivered {
  return unaddressed(
    'No email address: the Email field is empty and the User ID is not an email address. EmailSendX knows contacts by their address, so map Email to where your events carry it.'
  )
}

/** The second contact's values over the first's, as EmailSendX itself would merge two upserts of one email. */
export function mergeContacts(older: ContactRow, newer: ContactRow): ContactRow {
  const metadata = Object.fromEntries([
    ...Object.entries(older.metadata ?? {}),
    ...Object.entries(newer.metadata ?? {})
  ])
  return { ...older, ...newer, ...(Object.keys(metadata).length > 0 && { metadata }) }
}

function firstText(...candidates: unknown[]): string | undefined {
  return candidates
    .map((candidate) =>
      typeof candidate === 'string' || typeof candidate === 'number' ? String(candidate).trim() : ''
    )
    .find((text) => text !== '')
}

/** What becomes of a trait that is an object: see the field Nested Traits. Arrays always stay arrays, except as JSON. */
function toMetadata(traits: JSONObject, nested: Payload['nestedTraits']): JSONObject {
  const metadata = new Map<string, JSONValue>()
  const add = (key: string, value: JSONValue) => metadata.set(checkedKey(key), value)
  // A trait at the top is never overwritten by a flattened one, whatever their order.
  const flattened: Array<[string, JSONValue]> = []
  for (const [key, trait] of Object.entries(traits)) {
    if (NAMED_TRAITS.has(key)) continue
    const value = withoutBlanks(trait, key)
    if (value === undefined) continue
    if (typeof value !== 'object' || nested === 'keep') add(key, value)
    else if (nested === 'stringify') add(key, JSON.stringify(value))
    else if (isObject(value)) flattened.push(...flatten(value, key))
    else add(key, value)
  }
  for (const [key, value] of flattened) {
    if (!metadata.has(key)) add(key, value)
  }
  return Object.fromEntries(metadata)
}

function checkedKey(key: string): string {
  if (key.trim() === '') {
    throw new PayloadValidationError('A trait has an empty name. EmailSendX needs a name for every metadata field.')
  }
  if (key.length > MAX_KEY_LENGTH) {
    throw new PayloadValidationError(
      `The trait "${key.slice(0, 40)}…" has a name of ${key.length} characters, at most ${MAX_KEY_LENGTH} are allowed.`
    )
  }
  return key
}

function flatten(object: JSONObject, prefix: string): Array<[string, JSONValue]> {
  return Object.entries(object).flatMap(([key, value]) =>
    isObject(value) ? flatten(value, `${prefix}_${key}`) : [[`${prefix}_${key}`, value] as [string, JSONValue]]
  )
}

/** The value without its blank parts, or undefined when nothing is left of it. Arrays keep their blanks: places count there. */
function withoutBlanks(value: unknown, trait: string, depth = 0): JSONValue | undefined {
  if (depth > MAX_DEPTH) {
    throw new PayloadValidationError(`The trait "${trait.slice(0, 40)}" is nested more than ${MAX_DEPTH} levels deep.`)
  }
  if (Array.isArray(value)) {
    return value.map((item: JSONValue) => withoutBlanks(item, trait, depth + 1) ?? item)
  }
  if (isObject(value)) {
    const entries = Object.entries(value)
      .map(([key, part]) => [key, withoutBlanks(part, trait, depth + 1)] as const)
      .filter((entry): entry is [string, JSONValue] => entry[1] !== undefined)
    return entries.length > 0 ? Object.fromEntries(entries) : undefined
  }
  if (typeof value === 'string') return value.trim() === '' ? undefined : value
  // JSON has no NaN and no Infinity: they would arrive as null and wipe the field.
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  return typeof value === 'boolean' ? value : undefined
}
