import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { assumed } from '../assumptions'
import { fireEvent } from '../events'
import { jsonObject, parseBody } from '../http'
import type { Workspace } from '../workspace'

const eventBody = z.object({
  name: z.string().refine((name) => name.trim() !== '', { error: 'must not be empty' }),
  data: jsonObject.nullish()
})

export function eventRoutes(app: FastifyInstance, workspace: Workspace): void {
  app.post<{ Params: { id: string } }>(
    '/contacts/:id/events',
    { config: { scope: 'contacts:write' } },
    ({ params, body }, reply) => {
      const { name, data } = parseBody(eventBody, body)
      reply.code(assumed.eventStatus.value)
      return { data: workspace.store.transaction(() => fireEvent(workspace, params.id, name, data ?? {})) }
    }
  )
}
