import { fromJson } from '../db/values'
import { notFound } from '../request'
import { selectAutomations } from '../resources/automations'
import { findByEmail, selectContacts } from '../resources/contacts'
import { listKeys, maskKey, type ApiKey } from '../resources/keys'
import { selectLists } from '../resources/lists'
import type { Workspace } from '../workspace'

const MAX_ROWS = 100
/** A state is read often; large contacts and events must not make it heavy. In characters per collection. */
const MAX_SIZE = 1_000_000

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

/** One start of an automation. */
interface StateRun {
  id: string
  automationId: string
  automationName: string
  contactId: string
  email: string
  eventId: string
  eventName: string
  startedAt: string
}

interface StateMember {
  listId: string
  contactId: string
  email: string
  addedAt: string
}

/**
 * What the sandbox holds: the latest rows of everything (at most 100 each, newest first) and the true totals.
 * @param search narrows the contacts to those with this in their address or name
 */
export function state(workspace: Workspace, search = '') {
  const { store, requests, faults, settings } = workspace
  const count = (table: string) => store.count(`SELECT count(*) AS n FROM ${table}`)
  const byRoute = requests.byRoute()
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
    contacts: contacts(workspace, search.toLowerCase()),
    lists: lists(workspace),
    members: members(workspace),
    events: events(workspace),
    automations: selectAutomations(workspace, `ORDER BY seq LIMIT ${MAX_ROWS}`),
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

/** One contact with everything about it. @throws HttpError 404 */
export function contactState(workspace: Workspace, email: string) {
  const contact = findByEmail(workspace.store, email.trim().toLowerCase())
  if (!contact) throw notFound('No contact has this email')
  const { id } = contact
  const ofContact = `WHERE id IN (SELECT list_id FROM members WHERE contact_id = ?) ORDER BY seq LIMIT ${MAX_ROWS}`
  return {
    contact,
    lists: selectLists(workspace, ofContact, id),
    events: events(workspace, id),
    automationRuns: runs(workspace, id)
  }
}

/** By their last change, be it of theirs or an event on them. */
function contacts(workspace: Workspace, search: string) {
  const lastEvent = "coalesce((SELECT max(fired_at) FROM events WHERE contact_id = contacts.id), '')"
  const order = `WHERE instr(search, ?) > 0 ORDER BY max(updated_at, ${lastEvent}) DESC, seq DESC`
  const limit = fitting(workspace, `SELECT length(details) AS size FROM contacts ${order}`, search)
  return selectContacts(workspace.store, `${order} LIMIT ?`, search, limit)
}

function lists(workspace: Workspace) {
  const limit = fitting(workspace, 'SELECT length(name) + length(description) AS size FROM lists ORDER BY seq')
  return selectLists(workspace, 'ORDER BY seq LIMIT ?', limit)
}

function members({ store }: Workspace): StateMember[] {
  return store.all<StateMember>(
    `SELECT list_id AS listId, contact_id AS contactId, email, added_at AS addedAt
     FROM members JOIN contacts ON contacts.id = members.contact_id
     ORDER BY members.seq DESC LIMIT ${MAX_ROWS}`
  )
}

function events(workspace: Workspace, contactId?: string): StateEvent[] {
  const { where, values } = ofContact('events', contactId)
  const sizes = `SELECT length(name) + length(data) AS size FROM events ${where} ORDER BY seq DESC`
  return workspace.store
    .all<StateEvent & { data: string }>(
      `SELECT events.id, contact_id AS contactId, email, name, data, matching AS matchingAutomations, fired_at AS firedAt
       FROM events JOIN contacts ON contacts.id = events.contact_id ${where} ORDER BY events.seq DESC LIMIT ?`,
      ...values,
      fitting(workspace, sizes, ...values)
    )
    .map((row) => ({ ...row, name: fromJson(row.name), data: fromJson(row.data) }))
}

function runs(workspace: Workspace, contactId?: string): StateRun[] {
  const { where, values } = ofContact('runs', contactId)
  const from = `FROM runs JOIN events ON events.id = runs.event_id JOIN automations ON automations.id = runs.automation_id
    JOIN contacts ON contacts.id = runs.contact_id ${where}`
  const sizes = `SELECT length(automations.name) + length(events.name) AS size ${from} ORDER BY runs.seq DESC`
  return workspace.store
    .all<StateRun>(
      `SELECT runs.id, automation_id AS automationId, automations.name AS automationName, runs.contact_id AS contactId, email,
         event_id AS eventId, events.name AS eventName, started_at AS startedAt
       ${from} ORDER BY runs.seq DESC LIMIT ?`,
      ...values,
      fitting(workspace, sizes, ...values)
    )
    .map((row) => ({ ...row, automationName: fromJson(row.automationName), eventName: fromJson(row.eventName) }))
}

/** Narrows a query to one contact, when there is one to look for. */
function ofContact(table: 'events' | 'runs', contactId?: string): { where: string; values: string[] } {
  return contactId === undefined
    ? { where: '', values: [] }
    : { where: `WHERE ${table}.contact_id = ?`, values: [contactId] }
}

/** How many of the first rows stay together within the size; at least one, at most 100. */
function fitting({ store }: Workspace, sizes: string, ...values: string[]): number {
  let total = 0
  const rows = store.all<{ size: number }>(`${sizes} LIMIT ${MAX_ROWS}`, ...values)
  const beyond = rows.findIndex(({ size }) => (total += size) > MAX_SIZE)
  return beyond < 0 ? MAX_ROWS : Math.max(1, beyond)
}
