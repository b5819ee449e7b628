import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { HttpError } from '../../http/errors'
import { isObject, type JsonObject } from '../../http/json'
import type { Store } from '../db/store'
import { badRequest, jsonObject, notFound, parseBody } from '../request'
import type { Workspace } from '../workspace'
import { contactInput, emailAddress, findByEmail, getContact, upsertContact, type Contact } from './contacts'
import { eventName, fireEvent } from './events'

/** Of Segment's common fields these are read; the others, `timestamp` and `messageId` among them, are ignored. */
const common = { userId: z.string().nullish(), anonymousId: z.string().nullish(), context: z.unknown().optional() }
const callBody = z.object({ type: z.string().min(1) })
const identifyBody = z.object({ ...common, traits: jsonObject.nullish() })
const trackBody = z.object({ ...common, event: eventName, properties: jsonObject.nullish() })
type Who = Pick<z.output<typeof trackBody>, keyof typeof common>

/**
 * The endpoints for the webhooks of Segment and RudderStack, written from the product page, which describes the first
 * and calls the second "the same identify/track model". Both know the same users.
 */
export function segmentRoutes(app: FastifyInstance, workspace: Workspace): void {
  const { store, settings } = workspace
  const config = {
    scope: 'contacts:write' as const,
    exists: () => settings.segmentEndpoint === 'available',
    counts: () => settings.segmentRate === 'counted'
  }
  const apply = (call: unknown) => store.transaction(() => applyCall(workspace, call))
  for (const path of ['/segment/track', '/rudderstack/track']) {
    app.post(path, { config }, ({ body }, reply) => {
      const taken = settings.segmentArrays === 'taken' && Array.isArray(body)
      const data = taken ? body.map((call) => orError(() => apply(call))) : apply(body)
      if (settings.segmentAnswer === 'empty') return reply.send()
      return settings.segmentAnswer === 'success' ? { success: true } : { data }
    })
  }
}

/** One refused event of an array is no reason to refuse the others. */
function orError<T>(apply: () => T): T | { error: string } {
  try {
    return apply()
  } catch (error) {
    if (error instanceof HttpError) return { error: error.message }
    throw error
  }
}

function applyCall(workspace: Workspace, call: unknown) {
  const { type } = parseBody(callBody, call)
  if (type === 'identify') return identify(workspace, call)
  if (type === 'track') return track(workspace, call)
  return { ignored: type }
}

function identify(workspace: Workspace, call: unknown) {
  const { traits, context, userId, anonymousId } = parseBody(identifyBody, call)
  const { email: trait, firstName, first_name, lastName, last_name, ...metadata } = traits ?? traitsIn(context)
  const email = addressIn(trait) ?? addressIn(userId)
  if (!email) throw badRequest('traits.email or userId must be an email address')
  const names = { firstName: firstName ?? first_name, lastName: lastName ?? last_name }
  const { contact, created } = upsertContact(workspace, parseBody(contactInput, { email, ...names, metadata }))
  link(workspace.store, 'userId', userId, contact)
  link(workspace.store, 'anonymousId', anonymousId, contact)
  return { contactId: contact.id, created }
}

function track(workspace: Workspace, call: unknown) {
  const { event, properties, ...who } = parseBody(trackBody, call)
  const { eventMatch, segmentEventMatch, segmentUnknown } = workspace.settings
  const contact = contactOf(workspace, who)
  if (contact) {
    const match = segmentEventMatch === 'as-events' ? eventMatch : segmentEventMatch
    return fireEvent(workspace, contact.id, event, properties ?? {}, match)
  }
  const message = 'No contact for this userId: identify() comes first'
  if (segmentUnknown === 'not-found') throw notFound(message)
  if (segmentUnknown === 'bad-request') throw badRequest(message)
  return { contactId: null, eventName: event, matchingAutomations: 0 }
}

/** The contact an event belongs to. */
function contactOf(workspace: Workspace, { userId, anonymousId, context }: Who): Contact | undefined {
  const { store, settings } = workspace
  const id =
    idByEmail(store, userId) ??
    idByLink(store, 'userId', userId) ??
    (settings.segmentUsers === 'metadata' ? idByMetadata(store, userId) : undefined) ??
    (settings.segmentContext === 'read' ? idByEmail(store, traitsIn(context).email) : undefined) ??
    (settings.segmentAnonymous === 'resolved' ? idByLink(store, 'anonymousId', anonymousId) : undefined)
  return id === undefined ? undefined : getContact(workspace, id)
}

type Kind = 'userId' | 'anonymousId'
type Maybe = string | null | undefined

/** From now on events with this id belong to this contact. */
function link(store: Store, kind: Kind, value: Maybe, contact: Contact): void {
  if (!value) return
  store.run(
    `INSERT INTO identity_links (kind, value, contact_id) VALUES (?, ?, ?)
     ON CONFLICT (kind, value) DO UPDATE SET contact_id = excluded.contact_id`,
    kind,
    JSON.stringify(value),
    contact.id
  )
}

function idByLink(store: Store, kind: Kind, value: Maybe): string | undefined {
  if (!value) return undefined
  const sql = 'SELECT contact_id AS id FROM identity_links WHERE kind = ? AND value = ?'
  return store.get<{ id: string }>(sql, kind, JSON.stringify(value))?.id
}

function idByMetadata(store: Store, userId: Maybe): string | undefined {
  if (!userId) return undefined
  const sql = "SELECT id FROM contacts WHERE json_extract(details, '$.metadata.userId') = ? ORDER BY seq DESC LIMIT 1"
  return store.get<{ id: string }>(sql, userId)?.id
}

function idByEmail(store: Store, value: unknown): string | undefined {
  const email = addressIn(value)
  return email === undefined ? undefined : findByEmail(store, email)?.id
}

const addressIn = (value: unknown): string | undefined => emailAddress.safeParse(value).data

function traitsIn(context: unknown): JsonObject {
  const traits = isObject(context) ? context.traits : undefined
  return isObject(traits) ? traits : {}
}
