import { automationsFor, startRun } from './automations'
import { getContact } from './contacts'
import { isoTime, newId } from './ids'
import type { Settings, Workspace } from './workspace'

/** What firing an event answers inside `data`. */
interface FiredEvent {
  contactId: string
  eventName: string
  matchingAutomations: number
  firedAt: string
}

/**
 * Records the event and starts every active automation that waits for it.
 * @param match how its name is compared with the ones that automations wait for
 * @throws ApiError 404 when the contact does not exist
 */
export function fireEvent(
  workspace: Workspace,
  contactId: string,
  name: string,
  data: object,
  match: Settings['eventMatch'] = workspace.settings.eventMatch
): FiredEvent {
  const contact = getContact(workspace, contactId)
  const automations = automationsFor(workspace, name, match)
  const id = newId()
  const firedAt = isoTime(workspace.now())
  workspace.store.run(
    'INSERT INTO events (id, contact_id, name, data, matching, fired_at) VALUES (?, ?, ?, ?, ?, ?)',
    id,
    contactId,
    JSON.stringify(name),
    JSON.stringify(data),
    automations.length,
    firedAt
  )
  const matchingAutomations = automations.length
  workspace.happenings.tell({ type: 'event', id, contactId, email: contact.email, matchingAutomations })
  for (const automationId of automations) startRun(workspace, automationId, contact, id)
  return { contactId, eventName: name, matchingAutomations, firedAt }
}
