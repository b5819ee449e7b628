import { fromJson, isoTime, newId } from '../db/values'
import { notFound } from '../request'
import type { Settings, Workspace } from '../workspace'
import type { Contact } from './contacts'

/** An automation that waits for a custom event. The dashboard makes them; no route of the API is emulated. */
export interface Automation {
  id: string
  name: string
  status: AutomationStatus
  triggerEvent: string
  /** How often it was started. */
  enrolledCount: number
  createdAt: string
  updatedAt: string
}

export const AUTOMATION_STATUSES = ['active', 'paused', 'draft'] as const
type AutomationStatus = (typeof AUTOMATION_STATUSES)[number]

const SELECT = `SELECT id, name, status, trigger_event AS triggerEvent, created_at AS createdAt, updated_at AS updatedAt,
  (SELECT count(*) FROM runs WHERE runs.automation_id = automations.id) AS enrolledCount FROM automations`

/** @param clause what follows `FROM automations`, with a `?` for each of `values` */
export function selectAutomations({ store }: Workspace, clause: string, ...values: string[]): Automation[] {
  return store
    .all<Automation>(`${SELECT} ${clause}`, ...values)
    .map((row) => ({ ...row, name: fromJson(row.name), triggerEvent: fromJson(row.triggerEvent) }))
}

interface NewAutomation {
  id?: string
  name: string
  /** The name of the event that starts it. */
  event: string
  status?: AutomationStatus
}

export function createAutomation(
  workspace: Workspace,
  { id = newId(), name, event, status = 'active' }: NewAutomation
) {
  const time = isoTime(workspace.now())
  workspace.store.insert('automations', {
    id,
    name: JSON.stringify(name),
    status,
    trigger_event: JSON.stringify(event),
    created_at: time,
    updated_at: time
  })
  return getAutomation(workspace, id)
}

/** @throws HttpError 404 */
export function setAutomationStatus(workspace: Workspace, id: string, status: AutomationStatus): Automation {
  const sql = 'UPDATE automations SET status = ?, updated_at = ? WHERE id = ?'
  workspace.store.run(sql, status, isoTime(workspace.now()), id)
  return getAutomation(workspace, id)
}

function getAutomation(workspace: Workspace, id: string): Automation {
  const [automation] = selectAutomations(workspace, 'WHERE id = ?', id)
  if (!automation) throw notFound('Automation not found')
  return automation
}

/** Ids of the active automations that wait for this event. */
export function automationsFor({ store }: Workspace, eventName: string, match: Settings['eventMatch']): string[] {
  const form = NAME_FORMS[match]
  return store
    .all<{ id: string; event: string }>(
      "SELECT id, trigger_event AS event FROM automations WHERE status = 'active' ORDER BY seq"
    )
    .filter(({ event }) => form(fromJson(event)) === form(eventName))
    .map(({ id }) => id)
}

/** Two names match when their forms are equal. */
const NAME_FORMS: Record<Settings['eventMatch'], (name: string) => string> = {
  'case-insensitive': (name) => name.toLowerCase(),
  normalized: (name) =>
    name
      .trim()
      .toLowerCase()
      .replace(/[\s_]+/g, '_')
}

export function startRun(
  { store, stream, now }: Workspace,
  automationId: string,
  contact: Contact,
  eventId: string
): void {
  const id = newId()
  store.insert('runs', {
    id,
    automation_id: automationId,
    contact_id: contact.id,
    event_id: eventId,
    started_at: isoTime(now())
  })
  stream.emit({ type: 'automation-run', id, automationId, contactId: contact.id, email: contact.email })
}
