import { assumed } from './assumptions'
import { ApiError, envelope, notFound, type Paging } from './http'
import { isoTime, newId } from './ids'
import { getContact, type Contact } from './contacts'
import { fromJson } from './store'
import type { Settings, Workspace } from './workspace'

/** An automation as the API shows it. */
export interface Automation {
  id: string
  name: string
  status: AutomationStatus
  triggerType: string
  stepCount: number
  enrolledCount: number
  completedCount: number
  createdAt: string
  updatedAt: string
}

export const AUTOMATION_STATUSES = ['active', 'paused', 'draft'] as const
type AutomationStatus = (typeof AUTOMATION_STATUSES)[number]

interface Step {
  id: string
  order: number
  type: string
  name: string
}

interface AutomationRow {
  id: string
  name: string
  status: AutomationStatus
  trigger_type: string
  trigger_event: string
  steps: string
  enrolled: number
  created_at: string
  updated_at: string
}

const SELECT = `SELECT id, name, status, trigger_type, trigger_event, steps, created_at, updated_at,
  (SELECT count(*) FROM runs WHERE runs.automation_id = automations.id) AS enrolled FROM automations`

function fromRow(row: AutomationRow): Automation {
  return {
    id: row.id,
    name: fromJson(row.name),
    status: row.status,
    triggerType: row.trigger_type,
    stepCount: stepsOf(row).length,
    enrolledCount: row.enrolled,
    completedCount: 0,
    createdAt: row.created_at,
    updatedAt: row.updated_at
  }
}

const stepsOf = (row: AutomationRow): Step[] => fromJson(row.steps)

/** One page of all automations, oldest first. */
export function findAutomations({ store }: Workspace, slice: Paging) {
  const rows = store.all<AutomationRow>(
    `${SELECT} ORDER BY seq LIMIT ? OFFSET ?`,
    slice.limit,
    (slice.page - 1) * slice.limit
  )
  return envelope(rows.map(fromRow), store.count('SELECT count(*) AS n FROM automations'), slice)
}

/** The automation with its steps in order. @throws ApiError 404 */
export function getAutomation({ store }: Workspace, id: string): Automation & { steps: Step[] } {
  const row = store.get<AutomationRow>(`${SELECT} WHERE id = ?`, id)
  if (!row) throw notFound('Automation not found')
  return { ...fromRow(row), steps: stepsOf(row) }
}

/** The automations with the name of the event that starts each, which the API does not show. */
export function automationsWithTriggers({ store }: Workspace): (Automation & { triggerEvent: string | null })[] {
  return store
    .all<AutomationRow>(`${SELECT} ORDER BY seq LIMIT 100`)
    .map((row) => ({ ...fromRow(row), triggerEvent: fromJson(row.trigger_event) }))
}

interface NewAutomation {
  id?: string
  name: string
  status: AutomationStatus
  triggerType: string
  /** The event name of a `CUSTOM_EVENT` trigger. */
  triggerEvent: string | null
  steps?: Pick<Step, 'type' | 'name'>[]
}

export function createAutomation(workspace: Workspace, automation: NewAutomation): Automation {
  const { id = newId(), name, status, triggerType, triggerEvent, steps = [] } = automation
  const time = isoTime(workspace.now())
  workspace.store.run(
    `INSERT INTO automations (id, name, status, trigger_type, trigger_event, steps, created_at, updated_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    JSON.stringify(name),
    status,
    triggerType,
    JSON.stringify(triggerEvent),
    JSON.stringify(steps.map((step, index): Step => ({ id: newId(), order: index + 1, ...step }))),
    time,
    time
  )
  return getAutomation(workspace, id)
}

/** @throws ApiError 404 */
export function setAutomationStatus(workspace: Workspace, id: string, status: AutomationStatus): Automation {
  workspace.store.run(
    'UPDATE automations SET status = ?, updated_at = ? WHERE id = ?',
    status,
    isoTime(workspace.now()),
    id
  )
  return getAutomation(workspace, id)
}

/** Ids of the active automations that wait for this event. */
export function automationsFor({ store }: Workspace, eventName: string, match: Settings['eventMatch']): string[] {
  const form = NAME_FORMS[match]
  return store
    .all<Pick<AutomationRow, 'id' | 'trigger_event'>>(
      "SELECT id, trigger_event FROM automations WHERE status = 'active' AND trigger_type = 'CUSTOM_EVENT' ORDER BY seq"
    )
    .filter((row) => form(fromJson(row.trigger_event)) === form(eventName))
    .map((row) => row.id)
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

/** @param eventId the event that started it; absent when the contact was enrolled */
export function startRun(workspace: Workspace, automationId: string, contact: Contact, eventId?: string): void {
  const id = newId()
  workspace.store.run(
    'INSERT INTO runs (id, automation_id, contact_id, event_id, started_at) VALUES (?, ?, ?, ?, ?)',
    id,
    automationId,
    contact.id,
    eventId ?? null,
    isoTime(workspace.now())
  )
  workspace.happenings.tell({ type: 'automation-run', id, automationId, contactId: contact.id, email: contact.email })
}

/**
 * Starts one automation for one contact unless it is running already.
 * @throws ApiError 404 when either is unknown, 400 when the automation is not active
 */
export function enroll(workspace: Workspace, automationId: string, contactId: string) {
  const automation = getAutomation(workspace, automationId)
  const contact = getContact(workspace, contactId)
  if (automation.status !== 'active') {
    throw new ApiError(
      assumed.enrollInactive.value,
      `Automation is ${automation.status}, only an active one can be enrolled into`
    )
  }
  const running = workspace.store.count(
    'SELECT count(*) AS n FROM runs WHERE automation_id = ? AND contact_id = ?',
    automationId,
    contactId
  )
  if (!running) startRun(workspace, automationId, contact)
  return { automationId, contactId, enrolled: !running }
}
