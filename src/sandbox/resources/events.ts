import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { assumed } from '../assumptions'
import { isoTime, newId } from '../db/values'
import { jsonObject, parseBody } from '../request'
import type { Settings, Workspace } from '../workspace'
import { automationsFor, startRun } from './automations'
import { getContact } from './contacts'

export const eventName = z.string().refine((name) => name.trim() !== '', { error: 'must not be empty' })
const eventBody = z.object({ name: eventName, data: jsonObject.nullish() })

export function eventRoutes(app: FastifyInstance, workspace: Workspace): void {
  const { store } = workspace
  app.post<{ Params: { id: string } }>(
    '/contacts/:id/events',
    { config: { scope: 'contacts:write' } },
    ({ params, body }, reply) => {
      const { name, data } = parseBody(eventBody, body)
      reply.code(assumed.eventStatus.value)
      return { data: store.transaction(() => fireEvent(workspace, params.id, name, data ?? {})) }
    }
  )
}

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
 * @throws HttpError 404 when the contact does not exist
 */
export function fireEvent(
  workspace: Workspace,
  contactId: string,
  name: string,
  data: object,
  match: Settings['eventMatch'] = workspace.settings.eventMatch
): FiredEvent {
  const { store, stream, now } = workspace
  const contact = getContact(workspace, contactId)
  const automations = automationsFor(workspace, name, match)
  const matchingAutomations = automations.length
  const id = newId()
  const firedAt = isoTime(now())
  store.insert('events', {
    id,
    contact_id: contactId,
    name: JSON.stringify(name),
    data: JSON.stringify(data),
    matching: matchingAutomations,
    fired_at: firedAt
  })
  stream.emit({ type: 'event', id, contactId, email: contact.email, matchingAutomations })
  for (const automationId of automations) startRun(workspace, automationId, contact, id)
  return { contactId, eventName: name, matchingAutomations, firedAt }
}
