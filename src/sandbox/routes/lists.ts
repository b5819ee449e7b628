import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { assumed } from '../assumptions'
import { paging, parseBody, type Query } from '../http'
import { createList, findLists, getList } from '../lists'
import type { Workspace } from '../workspace'

const listBody = z.object({ name: z.string().trim().min(1), description: z.string().nullish() })

export function listRoutes(app: FastifyInstance, workspace: Workspace): void {
  app.get<{ Querystring: Query }>('/lists', { config: { scope: 'lists:read' } }, ({ query }) =>
    query.id === undefined ? findLists(workspace, paging(query)) : { data: getList(workspace, query.id) }
  )

  app.post('/lists', { config: { scope: 'lists:write' } }, ({ body }, reply) => {
    const { name, description } = parseBody(listBody, body)
    reply.code(assumed.listCreated.value)
    return { data: createList(workspace, name, description ?? null) }
  })
}
