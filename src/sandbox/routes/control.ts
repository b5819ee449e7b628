import type { FastifyInstance } from 'fastify'
import type { Query } from '../http'
import { reset } from '../seed'
import { contactState, state } from '../state'
import type { Workspace } from '../workspace'

/** Looking into the sandbox and making things go wrong. No key, no rate limit. */
export function controlRoutes(app: FastifyInstance, workspace: Workspace): void {
  app.get<{ Querystring: Query }>('/state', ({ query }) =>
    query.email === undefined ? state(workspace) : contactState(workspace, query.email)
  )

  app.post('/reset', () => {
    reset(workspace)
    return { reset: true }
  })
}
