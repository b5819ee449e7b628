import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { assumed } from '../assumptions'
import { upsertContacts } from '../bulk'
import {
  CONTACT_STATUSES,
  contactInput,
  findContacts,
  getContact,
  upsertContact,
  type ContactStatus
} from '../contacts'
import { ApiError, badRequest, paging, parseBody, type Query } from '../http'
import { addMember, createList, findListByName, getList } from '../lists'
import type { Workspace } from '../workspace'

const listId = z.string().min(1).nullish()

const upsertBody = contactInput.extend({ listId })

const bulkBody = z.object({
  contacts: z.array(z.unknown()).min(1).max(assumed.bulkMaximum.value),
  listId,
  listName: z.string().trim().min(1).nullish(),
  createListIfMissing: z.boolean().nullish(),
  consentSource: z.string().nullish()
})

export function contactRoutes(app: FastifyInstance, workspace: Workspace): void {
  const { store, faults } = workspace

  app.get<{ Querystring: Query }>('/contacts', { config: { scope: 'contacts:read' } }, ({ query }) => {
    if (query.list_id !== undefined) getList(workspace, query.list_id, 'list_id')
    const filter = { status: statusFilter(query.status), search: query.search, listId: query.list_id }
    return findContacts(workspace, filter, paging(query))
  })

  app.get<{ Params: { id: string } }>('/contacts/:id', { config: { scope: 'contacts:read' } }, ({ params }) => ({
    data: getContact(workspace, params.id)
  }))

  app.post('/contacts', { config: { scope: 'contacts:write' } }, ({ body }, reply) => {
    const { listId, ...input } = parseBody(upsertBody, body)
    const refusal = faults.refusal(input.email)
    if (refusal) throw badRequest(refusal)
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
    const bulk = parseBody(bulkBody, body)
    reply.code(assumed.bulkStatus.value)
    return { data: store.transaction(() => upsertContacts(workspace, bulk.contacts, targetList(workspace, bulk))) }
  })
}

function statusFilter(status: string | undefined): ContactStatus | undefined {
  const known = CONTACT_STATUSES.find((one) => one === status)
  if (status === undefined || known) return known
  throw new ApiError(assumed.statusFilter.value, `status must be one of ${CONTACT_STATUSES.join(', ')}`)
}

/** The list a bulk call names, by id or by name. */
function targetList(workspace: Workspace, bulk: z.output<typeof bulkBody>): string | undefined {
  if (bulk.listId) return getList(workspace, bulk.listId, 'listId').id
  if (!bulk.listName) {
    if (bulk.createListIfMissing) throw badRequest('listName is required with createListIfMissing')
    return undefined
  }
  const list = findListByName(workspace, bulk.listName)
  if (list) return list.id
  if (!bulk.createListIfMissing) throw new ApiError(assumed.unknownList.value, 'List not found: listName')
  return createList(workspace, bulk.listName, null).id
}
