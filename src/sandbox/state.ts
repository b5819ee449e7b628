import { automationsWithTriggers } from './automations'
import { CONTACT_COLUMNS, contactFromRow, findByEmail, type Contact, type ContactRow } from './contacts'
import { notFound } from './http'
import { listKeys, maskKey, type ApiKey } from './keys'
import { findLists } from './lists'
import { fromJson } from './store'
import type { Workspace } from './workspace'

const MAXIMUM_ROWS = 100
/** A state is read often; large contacts and events must not make it heavy. In characters per collection. */
const MAXIMUM_SIZE = 1_000_000

/** An event as it was fired. */
interface StateEvent {
  id: string
  contactId: string
  email: string
  name: string
  data: unknown
  matchingAutomations: number
  firedAt: string
}

/** One start of an automation; `eventId` and `eventName` are null when the contact was enrolled. */
interface StateRun {
  id: string
  automationId: string
  automationName: string
  contactId: string
  email: string
  eventId: string | null
  eventName: string | null
  startedAt: string
}

interface StateMember {
  listId: string
  contactId: string
  email: string
  addedAt: string
}

/** What the sandbox holds: the latest rows of everything (at most 100 each, newest first) and the true totals. */
export function state(workspace: Workspace) {
  const { store, traffic, faults, settings } = workspace
  const count = (table: string) => store.count(`SELECT count(*) AS n FROM ${table}`)
  const byRoute = traffic.byRoute()
  return {
    totals: {
      contacts: count('contacts'),
      lists: count('lists'),
      members: count('members'),
      events: count('events'),
      automations: count('automations'),
      automationRuns: count('runs'),
      requests: byRoute.reduce((sum, { count }) => sum + count, 0)
    },
    contacts: contacts(workspace),
    lists: findLists(workspace, { page: 1, limit: MAXIMUM_ROWS }).data,
    members: members(workspace),
    events: events(workspace),
    automations: automationsWithTriggers(workspace),
    automationRuns: runs(workspace),
    requests: byRoute,
    keys: listKeys(store).map((key) => keyState(workspace, key)),
    faults: faults.list(),
    settings
  }
}

/** A key without its secret, and where it stands in its rate window. */
export function keyState({ limiter }: Workspace, { id, name, key, scopes, revoked }: ApiKey) {
  return { id, name, key: maskKey(key), scopes, revoked, window: limiter.window(id) }
}

/** One contact with everything about it. @throws ApiError 404 */
export function contactState(workspace: Workspace, email: string) {
  const contact = findByEmail(workspace.store, email.trim().toLowerCase())
  if (!contact) throw notFound('No contact has this email')
  const memberOf = new Set(members(workspace, contact.id).map(({ listId }) => listId))
  return {
    contact,
    lists: findLists(workspace, { page: 1, limit: MAXIMUM_ROWS }).data.filter(({ id }) => memberOf.has(id)),
    events: events(workspace, contact.id),
    automationRuns: runs(workspace, contact.id)
  }
}

/** Condition that holds for every row when there is no contact to look for. */
const OF_CONTACT = '(?1 IS NULL OR contacts.id = ?1)'

function contacts({ store }: Workspace): Contact[] {
  const rows = store.each<ContactRow>(`SELECT ${CONTACT_COLUMNS} FROM contacts ORDER BY seq DESC LIMIT ?`, MAXIMUM_ROWS)
  return withinSize(rows, (row) => row.details.length).map(contactFromRow)
}

function members({ store }: Workspace, contactId: string | null = null): StateMember[] {
  return store.all<StateMember>(
    `SELECT list_id AS listId, contact_id AS contactId, email, added_at AS addedAt
     FROM members JOIN contacts ON contacts.id = members.contact_id
     WHERE ${OF_CONTACT} ORDER BY members.seq DESC LIMIT ${MAXIMUM_ROWS}`,
    contactId
  )
}

function events({ store }: Workspace, contactId: string | null = null): StateEvent[] {
  const rows = store.each<StateEvent & { name: string; data: string }>(
    `SELECT events.id, contact_id AS contactId, email, name, data, matching AS matchingAutomations, fired_at AS firedAt
     FROM events JOIN contacts ON contacts.id = events.contact_id
     WHERE ${OF_CONTACT} ORDER BY events.seq DESC LIMIT ${MAXIMUM_ROWS}`,
    contactId
  )
  return withinSize(rows, (row) => row.name.length + row.data.length).map((row) => ({
    ...row,
    name: fromJson(row.name),
    data: fromJson(row.data)
  }))
}

function runs({ store }: Workspace, contactId: string | null = null): StateRun[] {
  const rows = store.each<StateRun>(
    `SELECT runs.id, automation_id AS automationId, automations.name AS automationName, runs.contact_id AS contactId, email,
       event_id AS eventId, events.name AS eventName, started_at AS startedAt
     FROM runs JOIN contacts ON contacts.id = runs.contact_id JOIN automations ON automations.id = runs.automation_id
       LEFT JOIN events ON events.id = runs.event_id
     WHERE ${OF_CONTACT} ORDER BY runs.seq DESC LIMIT ${MAXIMUM_ROWS}`,
    contactId
  )
  return withinSize(rows, (row) => row.automationName.length + (row.eventName?.length ?? 0)).map((row) => ({
    ...row,
    automationName: fromJson(row.automationName),
    eventName: row.eventName === null ? null : fromJson(row.eventName)
  }))
}

/** The first rows that together stay within the size; always the first one. */
function withinSize<Row>(rows: Iterable<Row>, sizeOf: (row: Row) => number): Row[] {
  const kept: Row[] = []
  let size = 0
  for (const row of rows) {
    size += sizeOf(row)
    if (kept.length && size > MAXIMUM_SIZE) break
    kept.push(row)
  }
  return kept
}
