import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { HttpError } from '../../http/errors'
import { isObject, type JsonObject } from '../../http/json'
import { assumed } from '../assumptions'
import type { Store } from '../db/store'
import { fromJson, isoTime, newId } from '../db/values'
import { badRequest, check, envelope, jsonObject, notFound, paging, parseBody, type Query } from '../request'
import type { Workspace } from '../workspace'
import { addMember, getList } from './lists'

export const CONTACT_STATUSES = ['active', 'unsubscribed', 'bounced', 'complained', 'suppressed'] as const
type ContactStatus = (typeof CONTACT_STATUSES)[number]

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

const MAX_EMAIL_LENGTH = 254
const EMAIL = /^[^\s@\p{C}]{1,64}@[^\s@.\p{C}]+(\.[^\s@.\p{C}]+)+$/u

export const emailAddress = z
  .string()
  .transform((email) => email.trim().toLowerCase())
  .refine((email) => email.length <= MAX_EMAIL_LENGTH && EMAIL.test(email), { error: 'must be a valid email address' })

/** One row of an upsert; unknown keys are ignored. Nulls and the `[]` that PHP makes of an empty map count as "not sent". */
export const contactInput = z.object({
  email: emailAddress,
  firstName: z.string().nullish(),
  lastName: z.string().nullish(),
  metadata: z
    .union([jsonObject, z.tuple([])], { error: 'must be a JSON object' })
    .nullish()
    .transform((metadata): JsonObject => (isObject(metadata) ? metadata : {}))
})
type ContactInput = z.output<typeof contactInput>

const listId = z.string().min(1).nullish()
const upsertBody = contactInput.extend({ listId })
const bulkBody = z.object({ contacts: z.array(z.unknown()).min(1).max(assumed.bulkMaximum.value), listId })

export function contactRoutes(app: FastifyInstance, workspace: Workspace): void {
  const { store } = workspace

  app.get<{ Querystring: Query }>('/contacts', { config: { scope: 'contacts:read' } }, ({ query }) =>
    findContacts(workspace, query)
  )

  app.post('/contacts', { config: { scope: 'contacts:write' } }, ({ body }, reply) => {
    const { listId, ...input } = parseBody(upsertBody, body)
    const { contact, created } = store.transaction(() => {
      if (listId) getList(workspace, listId, 'listId')
      const upserted = upsertContact(workspace, input)
      if (listId) addMember(workspace, listId, upserted.contact)
      return upserted
    })
    reply.code(created ? assumed.upsertCreated.value : assumed.upsertUpdated.value)
    return { data: contact }
  })

  app.post('/contacts/bulk', { config: { scope: 'contacts:write' } }, ({ body }, reply) => {
    const { contacts, listId } = parseBody(bulkBody, body)
    reply.code(assumed.bulkStatus.value)
    return { data: store.transaction(() => upsertContacts(workspace, contacts, listId)) }
  })
}

/** One page of the contacts that pass the filters of the query, newest first. */
function findContacts(workspace: Workspace, query: Query) {
  const { store } = workspace
  const slice = paging(query)
  const conditions: string[] = []
  const values: string[] = []
  const need = (condition: string, value: string | undefined) => {
    if (value === undefined) return
    conditions.push(condition)
    values.push(value)
  }
  if (query.list_id !== undefined) getList(workspace, query.list_id, 'list_id')
  need('contacts.status = ?', statusFilter(query.status))
  need('instr(contacts.search, ?) > 0', query.search?.toLowerCase() || undefined)
  need('EXISTS (SELECT 1 FROM members WHERE contact_id = contacts.id AND list_id = ?)', query.list_id)
  const where = conditions.length ? `WHERE ${conditions.join(' AND ')}` : ''
  const total = store.count(`SELECT count(*) AS n FROM contacts ${where}`, ...values)
  const order = 'ORDER BY seq DESC LIMIT ? OFFSET ?'
  return envelope(selectContacts(store, `${where} ${order}`, ...values, slice.limit, slice.offset), total, slice)
}

function statusFilter(status: string | undefined): ContactStatus | undefined {
  const known = CONTACT_STATUSES.find((one) => one === status)
  if (status === undefined || known) return known
  throw new HttpError(assumed.statusFilter.value, `status must be one of ${CONTACT_STATUSES.join(', ')}`)
}

/**
 * Creates the contact or merges what was sent into it; the status stays as it is.
 * @throws HttpError 400 when a fault refuses the contact
 */
export function upsertContact(workspace: Workspace, input: ContactInput): { contact: Contact; created: boolean } {
  const refusal = workspace.faults.refusal(input.email)
  if (refusal) throw badRequest(refusal)
  return writeContact(workspace, input)
}

interface BulkResult {
  summary: { created: number; updated: number; skipped: number; failed: number }
  errors: { message: string }[]
}

/**
 * Each row has its own fate: good rows are applied, bad ones counted and explained, and of several rows with one email
 * only the last is applied.
 * @param listId a list that every applied row joins
 * @throws HttpError 404 when there is no such list
 */
function upsertContacts(workspace: Workspace, rows: unknown[], listId?: string | null): BulkResult {
  if (listId) getList(workspace, listId, 'listId')
  const summary = { created: 0, updated: 0, skipped: 0, failed: 0 }
  const errors: BulkResult['errors'] = []
  const inputs = new Map<string, ContactInput>()
  for (const row of rows) {
    const checked = checkRow(workspace, row)
    if (!checked.ok) {
      summary.failed += 1
      errors.push({ message: checked.message })
      continue
    }
    if (inputs.has(checked.value.email)) summary.skipped += 1
    inputs.set(checked.value.email, checked.value)
  }
  for (const input of inputs.values()) {
    const { contact, created } = writeContact(workspace, input)
    summary[created ? 'created' : 'updated'] += 1
    if (listId) addMember(workspace, listId, contact)
  }
  return { summary, errors }
}

function checkRow({ faults }: Workspace, row: unknown) {
  const checked = check(contactInput, row, 'contact')
  const refusal = checked.ok && faults.refusal(checked.value.email)
  return refusal ? { ok: false as const, message: refusal } : checked
}

type Details = Pick<Contact, 'firstName' | 'lastName' | 'metadata'>
type ContactRow = Omit<Contact, keyof Details> & { details: string }

function writeContact({ store, stream, now }: Workspace, input: ContactInput): { contact: Contact; created: boolean } {
  const time = isoTime(now())
  const before = findByEmail(store, input.email)
  const details: Details = {
    firstName: input.firstName ?? before?.firstName ?? null,
    lastName: input.lastName ?? before?.lastName ?? null,
    metadata: { ...before?.metadata, ...input.metadata }
  }
  const { email } = input
  const { id = newId(), status = 'active', createdAt = time } = before ?? {}
  store.run(
    `INSERT INTO contacts (id, email, status, search, details, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (email) DO UPDATE SET details = excluded.details, search = excluded.search, updated_at = excluded.updated_at`,
    id,
    email,
    status,
    // One field per line, so that a search never matches across two of them.
    [email, details.firstName ?? '', details.lastName ?? ''].join('\n').toLowerCase(),
    JSON.stringify(details),
    createdAt,
    time
  )
  stream.emit({ type: 'contact', change: before ? 'updated' : 'created', id, email })
  return { contact: toContact({ id, email, status, createdAt, updatedAt: time }, details), created: !before }
}

/** In the order in which the API shows the fields. */
function toContact(
  { id, email, status, createdAt, updatedAt }: Omit<ContactRow, 'details'>,
  details: Details
): Contact {
  const { firstName, lastName, metadata } = details
  return { id, email, firstName, lastName, status, metadata, createdAt, updatedAt }
}

/** @param clause what follows `FROM contacts`, with a `?` for each of `values` */
export function selectContacts(store: Store, clause: string, ...values: (string | number)[]): Contact[] {
  const columns = 'id, email, status, details, created_at AS createdAt, updated_at AS updatedAt'
  return store
    .all<ContactRow>(`SELECT ${columns} FROM contacts ${clause}`, ...values)
    .map((row) => toContact(row, fromJson(row.details)))
}

export function findByEmail(store: Store, email: string): Contact | undefined {
  return selectContacts(store, 'WHERE email = ?', email)[0]
}

/** @throws HttpError 404 */
export function getContact({ store }: Workspace, id: string): Contact {
  const [contact] = selectContacts(store, 'WHERE id = ?', id)
  if (!contact) throw notFound('Contact not found')
  return contact
}

/** What an unsubscribe click, a bounce or a complaint does; no API call can. */
export function setStatus(workspace: Workspace, { id, email }: Contact, status: ContactStatus): Contact {
  const { store, stream, now } = workspace
  store.run('UPDATE contacts SET status = ?, updated_at = ? WHERE id = ?', status, isoTime(now()), id)
  stream.emit({ type: 'contact', change: 'updated', id, email })
  return getContact(workspace, id)
}
