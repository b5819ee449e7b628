import fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify'
import { assumed } from './assumptions'
import { addBodyParser } from './body'
import { addGate } from './gate'
import { addHostCheck } from './host-check'
import { ApiError, parseQuery } from './http'
import { automationRoutes } from './routes/automations'
import { contactRoutes } from './routes/contacts'
import { controlRoutes } from './routes/control'
import { customFieldRoutes } from './routes/custom-fields'
import { eventRoutes } from './routes/events'
import { listRoutes } from './routes/lists'
import { readOnlyRoutes } from './routes/read-only'
import { whoamiRoute } from './routes/whoami'
import { segmentRoutes } from './resources/segment'
import { addUnknownPaths, watchMethods } from './website'
import type { Workspace } from './workspace'

const API_ROUTES = [
  whoamiRoute,
  contactRoutes,
  eventRoutes,
  listRoutes,
  customFieldRoutes,
  automationRoutes,
  readOnlyRoutes
]

/** Longer than any URL Node accepts, so that an overlong id is simply not found. */
const MAXIMUM_ID_LENGTH = 65_536

/**
 * The HTTP server of one workspace, not yet listening.
 * @param localOnly refuse requests that name another host than this machine
 */
export function createServer(workspace: Workspace, localOnly: boolean): FastifyInstance {
  const closing = new AbortController()
  const app = fastify({
    bodyLimit: assumed.bodyMaximum.value,
    forceCloseConnections: true,
    routerOptions: { querystringParser: parseQuery, maxParamLength: MAXIMUM_ID_LENGTH },
    frameworkErrors: (error, _request, reply: FastifyReply) => void reply.code(400).send({ error: error.message })
  })
  app.addHook('preClose', async () => closing.abort())
  if (localOnly) addHostCheck(app)
  addUnknownPaths(app, workspace)
  addBodyParser(app)
  app.setErrorHandler<FastifyError | ApiError>((error, request, reply) => {
    const { status, message, headers = {} } = explain(error)
    if (status === 500) console.error(`sandbox: ${request.method} ${request.routeOptions.url} failed: ${error.message}`)
    return reply.code(status).headers(headers).send({ error: message })
  })
  const refuseOtherMethods = watchMethods(app, workspace)
  app.register(
    async (api) => {
      addGate(api, workspace, closing.signal)
      segmentRoutes(api, workspace)
      api.register(async (v1) => API_ROUTES.forEach((addRoutes) => addRoutes(v1, workspace)), { prefix: '/v1' })
    },
    { prefix: '/api' }
  )
  app.after(refuseOtherMethods)
  app.register(async (control) => controlRoutes(control, workspace), { prefix: '/_sandbox' })
  return app
}

function explain(error: FastifyError | ApiError): Pick<ApiError, 'status' | 'message'> & Partial<ApiError> {
  if (error instanceof ApiError) return error
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { status: 413, message: `Request body is larger than ${assumed.bodyMaximum.value} bytes` }
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return { status: assumed.malformed.value, message: 'Content-Type must be application/json' }
  }
  const status = error.statusCode ?? 500
  return status < 500 ? { status, message: error.message } : { status: 500, message: 'Internal server error' }
}
