import { z } from 'zod'
import { envelope, isJsonObject, jsonObject, notFound, type JsonObject, type Paging } from './http'
import { isoTime, newId } from './ids'
import { fromJson, type Store } from './store'
import type { Workspace } from './workspace'

export const CONTACT_STATUSES = ['active', 'unsubscribed', 'bounced', 'complained', 'suppressed'] as const
export type ContactStatus = (typeof CONTACT_STATUSES)[number]

/** A contact as the API shows it. */
export interface Contact {
  id: string
  email: string
  firstName: string | null
  lastName: string | null
  status: ContactStatus
  metadata: JsonObject
  createdAt: string
  updatedAt: string
}

export interface ContactRow {
  id: string
  email: string
  status: ContactStatus
  details: string
  created_at: string
  updated_at: string
}

export const CONTACT_COLUMNS = ['id', 'email', 'status', 'details', 'created_at', 'updated_at']
  .map((column) => `contacts.${column}`)
  .join(', ')

export function contactFromRow(row: ContactRow): Contact {
  const { firstName, lastName, metadata } = fromJson<Details>(row.details)
  return {
    id: row.id,
    email: row.email,
    firstName,
    lastName,
    status: row.status,
    metadata,
    createdAt: row.created_at,
    updatedAt: row.updated_at
  }
}

type Details = Pick<Contact, 'firstName' | 'lastName' | 'metadata'>

const MAXIMUM_EMAIL_LENGTH = 254
const EMAIL = /^[^\s@\p{C}]{1,64}@[^\s@.\p{C}]+(\.[^\s@.\p{C}]+)+$/u

export const emailAddress = z
  .string()
  .transform((email) => email.trim().toLowerCase())
  .refine((email) => email.length <= MAXIMUM_EMAIL_LENGTH && EMAIL.test(email), {
    error: 'must be a valid email address'
  })

/** One row of an upsert; unknown keys are ignored. Nulls and the `[]` that PHP makes of an empty map count as "not sent". */
export const contactInput = z.object({
  email: emailAddress,
  firstName: z.string().nullish(),
  lastName: z.string().nullish(),
  metadata: z
    .union([jsonObject, z.tuple([])], { error: 'must be a JSON object' })
    .nullish()
    .transform((metadata): JsonObject => (isJsonObject(metadata) ? metadata : {}))
})
export type ContactInput = z.output<typeof contactInput>

/** Creates the contact or merges what was sent into it; the status stays as it is. */
export function upsertContact(
  { store, happenings, now }: Workspace,
  input: ContactInput
): { contact: Contact; created: boolean } {
  const time = isoTime(now())
  const before = findByEmail(store, input.email)
  const contact: Contact = {
    id: before?.id ?? newId(),
    email: input.email,
    firstName: input.firstName ?? before?.firstName ?? null,
    lastName: input.lastName ?? before?.lastName ?? null,
    status: before?.status ?? 'active',
    metadata: { ...before?.metadata, ...input.metadata },
    createdAt: before?.createdAt ?? time,
    updatedAt: time
  }
  const { id, email, status, firstName, lastName, metadata } = contact
  store.run(
    `INSERT INTO contacts (id, email, status, search, details, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (email) DO UPDATE SET details = excluded.details, search = excluded.search, updated_at = excluded.updated_at`,
    id,
    email,
    status,
    searchText(contact),
    JSON.stringify({ firstName, lastName, metadata } satisfies Details),
    contact.createdAt,
    contact.updatedAt
  )
  happenings.tell({ type: 'contact', change: before ? 'updated' : 'created', id, email })
  return { contact, created: !before }
}

export function findByEmail(store: Store, email: string): Contact | undefined {
  const row = store.get<ContactRow>(`SELECT ${CONTACT_COLUMNS} FROM contacts WHERE email = ?`, email)
  return row && contactFromRow(row)
}

/** @throws ApiError 404 */
export function getContact({ store }: Workspace, id: string): Contact {
  const row = store.get<ContactRow>(`SELECT ${CONTACT_COLUMNS} FROM contacts WHERE id = ?`, id)
  if (!row) throw notFound('Contact not found')
  return contactFromRow(row)
}

/** What an unsubscribe click, a bounce or a complaint does; no API call can. @throws ApiError 404 */
export function setStatus(workspace: Workspace, id: string, status: ContactStatus): Contact {
  const { email } = getContact(workspace, id)
  workspace.store.run(
    'UPDATE contacts SET status = ?, updated_at = ? WHERE id = ?',
    status,
    isoTime(workspace.now()),
    id
  )
  workspace.happenings.tell({ type: 'contact', change: 'updated', id, email })
  return getContact(workspace, id)
}

interface ContactFilter {
  status?: ContactStatus
  search?: string
  listId?: string
}

/** One page of the contacts that pass the filter, newest first. */
export function findContacts({ store }: Workspace, { status, search, listId }: ContactFilter, slice: Paging) {
  const conditions: string[] = []
  const values: string[] = []
  const need = (condition: string, value: string | undefined) => {
    if (value === undefined) return
    conditions.push(condition)
    values.push(value)
  }
  need('contacts.status = ?', status)
  need('instr(contacts.search, ?) > 0', search?.toLowerCase() || undefined)
  need('EXISTS (SELECT 1 FROM members WHERE members.contact_id = contacts.id AND members.list_id = ?)', listId)
  const from = `FROM contacts ${conditions.length ? `WHERE ${conditions.join(' AND ')}` : ''}`
  const total = store.count(`SELECT count(*) AS n ${from}`, ...values)
  const rows = store.all<ContactRow>(
    `SELECT ${CONTACT_COLUMNS} ${from} ORDER BY contacts.seq DESC LIMIT ? OFFSET ?`,
    ...values,
    slice.limit,
    (slice.page - 1) * slice.limit
  )
  return envelope(rows.map(contactFromRow), total, slice)
}

/** One field per line, so that a search never matches across two of them. */
function searchText({ email, firstName, lastName }: Contact): string {
  return [email, firstName ?? '', lastName ?? ''].join('\n').toLowerCase()
}
