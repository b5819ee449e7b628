import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { localHostOnly, localPagesOnly, thisMachineOnly } from '../../http/guards'
import { mapSwitches, type Choices } from '../assumptions'
import { reset } from '../db/seed'
import { faultSpec } from '../faults/faults'
import { badRequest, notFound, parseBody, type Query } from '../request'
import { AUTOMATION_STATUSES, createAutomation, setAutomationStatus } from '../resources/automations'
import { CONTACT_STATUSES, setStatus } from '../resources/contacts'
import { changeKey, createKey, findKey, listKeys, SCOPES } from '../resources/keys'
import type { Workspace } from '../workspace'
import { contactState, keyState, state } from './state'

const MAX_RATE_LIMIT = 1_000_000

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
const choicesShape = mapSwitches((choices) => z.enum(choices)) as { [Name in keyof Choices]: z.ZodType<Choices[Name]> }
const settingsBody = z.strictObject({ rateLimit: z.int().min(1).max(MAX_RATE_LIMIT), ...choicesShape }).partial()
const contactBody = z.strictObject({ status: z.enum(CONTACT_STATUSES) })
const automationBody = z.strictObject({
  name: z.string().min(1),
  event: z.string().min(1),
  status: z.enum(AUTOMATION_STATUSES).default('active')
})
const automationChangeBody = z.strictObject({ status: z.enum(AUTOMATION_STATUSES) })

/** Looking into the sandbox, doing what the dashboard would do, and making things go wrong. No key, no rate limit. */
export function inspectRoutes(app: FastifyInstance, workspace: Workspace): void {
  const { store, faults, settings, stream } = workspace
  for (const guard of [thisMachineOnly, localHostOnly('use http://127.0.0.1 or http://localhost'), localPagesOnly]) {
    app.addHook('onRequest', guard)
  }

  app.get<{ Querystring: Query }>('/state', ({ query }) =>
    query.email === undefined ? state(workspace, query.search) : contactState(workspace, query.email)
  )
  app.get('/stream', (_request, reply) => stream.open(reply))
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
    if (!faults.remove(params.id)) throw notFound('No such fault: it was removed or met its last request')
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
    const { status } = parseBody(contactBody, body)
    if (query.email === undefined) throw badRequest('email is required as a query parameter')
    return setStatus(workspace, contactState(workspace, query.email).contact, status)
  })

  app.post('/automations', ({ body }, reply) =>
    reply.code(201).send(createAutomation(workspace, parseBody(automationBody, body)))
  )
  app.patch<{ Params: { id: string } }>('/automations/:id', ({ params, body }) =>
    setAutomationStatus(workspace, params.id, parseBody(automationChangeBody, body).status)
  )
}
