import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { hostnameOf, isLoopback } from '../../http/loopback'
import { choicesShape } from '../assumptions'
import { AUTOMATION_STATUSES, createAutomation, setAutomationStatus } from '../automations'
import { CONTACT_STATUSES, setStatus } from '../contacts'
import { faultSpec } from '../faults'
import { ApiError, badRequest, notFound, parseBody, type Query } from '../http'
import { changeKey, createKey, findKey, listKeys, SCOPES } from '../keys'
import { reset } from '../seed'
import { contactState, keyState, state } from '../state'
import { addStream } from '../stream'
import { MAXIMUM_RATE_LIMIT, type Workspace } from '../workspace'

const scopes = z.array(z.enum(SCOPES))

const newKeyBody = z.strictObject({
  name: z.string().min(1).default('Sandbox key'),
  scopes: scopes.default([...SCOPES]),
  environment: z.enum(['test', 'live']).default('test'),
  key: z
    .string()
    .regex(/^esx_(test|live)_[A-Za-z0-9]{32}$/, { error: 'must be esx_test_ or esx_live_ and 32 letters or digits' })
    .optional()
})

const keyChangeBody = z.strictObject({ revoked: z.boolean().optional(), scopes: scopes.optional() })

const settingsBody = z.strictObject({ rateLimit: z.int().min(1).max(MAXIMUM_RATE_LIMIT), ...choicesShape }).partial()

const automationBody = z.strictObject({
  name: z.string().min(1),
  event: z.string().min(1).nullable().default(null),
  status: z.enum(AUTOMATION_STATUSES).default('active'),
  triggerType: z.string().min(1).default('CUSTOM_EVENT')
})

/** Looking into the sandbox, doing what the dashboard would do, and making things go wrong. No key, no rate limit. */
export function controlRoutes(app: FastifyInstance, workspace: Workspace): void {
  const { store, faults, settings } = workspace
  addGuard(app)
  addStream(app, workspace.happenings)

  app.get<{ Querystring: Query }>('/state', ({ query }) =>
    query.email === undefined ? state(workspace) : contactState(workspace, query.email)
  )

  app.post('/reset', (_request, reply) => {
    reset(workspace)
    return reply.code(204).send()
  })

  app.get('/faults', () => ({ faults: faults.list() }))
  app.post('/faults', ({ body }, reply) => reply.code(201).send(faults.add(parseBody(faultSpec, body))))
  app.delete('/faults', (_request, reply) => {
    faults.clear()
    return reply.code(204).send()
  })
  app.delete<{ Params: { id: string } }>('/faults/:id', ({ params }, reply) => {
    if (!faults.remove(params.id)) throw notFound('No such fault: it was removed or has struck for the last time')
    return reply.code(204).send()
  })

  app.get('/keys', () => ({ keys: listKeys(store).map((key) => keyState(workspace, key)) }))
  app.post('/keys', ({ body }, reply) => {
    const wanted = parseBody(newKeyBody, body ?? {})
    if (wanted.key && findKey(store, wanted.key)) throw badRequest('key exists already')
    return reply.code(201).send(createKey(store, wanted))
  })
  app.patch<{ Params: { id: string } }>('/keys/:id', ({ params, body }) => {
    const key = changeKey(store, params.id, parseBody(keyChangeBody, body))
    if (!key) throw notFound('No such key: GET /_sandbox/keys lists them')
    return keyState(workspace, key)
  })

  app.get('/settings', () => settings)
  app.patch('/settings', ({ body }) => Object.assign(settings, parseBody(settingsBody, body)))

  app.patch<{ Querystring: Query }>('/contacts', ({ query, body }) => {
    const { status } = parseBody(z.strictObject({ status: z.enum(CONTACT_STATUSES) }), body)
    if (query.email === undefined) throw badRequest('email is required as a query parameter')
    return setStatus(workspace, contactState(workspace, query.email).contact.id, status)
  })

  app.post('/automations', ({ body }, reply) => {
    const { event, ...automation } = parseBody(automationBody, body)
    if (automation.triggerType === 'CUSTOM_EVENT' && event === null)
      throw badRequest('event is required for CUSTOM_EVENT')
    return reply.code(201).send(createAutomation(workspace, { ...automation, triggerEvent: event }))
  })
  app.patch<{ Params: { id: string } }>('/automations/:id', ({ params, body }) => {
    const { status } = parseBody(z.strictObject({ status: z.enum(AUTOMATION_STATUSES) }), body)
    return setAutomationStatus(workspace, params.id, status)
  })
}

/** Only this machine, under its own name, and no other site's web page. */
function addGuard(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ ip, headers }) => {
    const { host, origin } = headers
    const ownOrigin = origin === undefined || isLoopback(hostnameOf(origin))
    if (isLoopback(ip) && isLoopback(hostnameOf(host)) && ownOrigin) return
    throw new ApiError(403, 'The control routes are only for this machine: use http://127.0.0.1 or http://localhost')
  })
}
