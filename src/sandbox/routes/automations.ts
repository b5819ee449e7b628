import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { assumed } from '../assumptions'
import { enroll, findAutomations, getAutomation } from '../automations'
import { paging, parseBody, type Query } from '../http'
import type { Workspace } from '../workspace'

const enrollBody = z.object({ contactId: z.string().min(1) })

export function automationRoutes(app: FastifyInstance, workspace: Workspace): void {
  app.get<{ Querystring: Query }>('/automations', { config: { scope: 'automations:read' } }, ({ query }) =>
    findAutomations(workspace, paging(query))
  )

  app.get<{ Params: { id: string } }>('/automations/:id', { config: { scope: 'automations:read' } }, ({ params }) => ({
    data: getAutomation(workspace, params.id)
  }))

  app.post<{ Params: { id: string } }>(
    '/automations/:id/enroll',
    { config: { scope: 'automations:write' } },
    ({ params, body }, reply) => {
      const { contactId } = parseBody(enrollBody, body)
      reply.code(assumed.enroll.value)
      return { data: workspace.store.transaction(() => enroll(workspace, params.id, contactId)) }
    }
  )
}
