import { setMaxListeners } from 'node:events'
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { answerErrors, errorAnswer, HttpError, type ErrorAnswer } from '../http/errors'
import { localHostOnly } from '../http/guards'
import { noSchemas } from '../http/no-schemas'
import { assumed } from './assumptions'
import { addAuth } from './auth'
import { answerUnknownPaths, collectMethods } from './fallback'
import { inspectRoutes } from './inspect/routes'
import { parseJson, parseQuery } from './request'
import { contactRoutes } from './resources/contacts'
import { customFieldRoutes } from './resources/custom-fields'
import { eventRoutes } from './resources/events'
import { keyRoutes } from './resources/keys'
import { listRoutes } from './resources/lists'
import { segmentRoutes } from './resources/segment'
import type { Workspace } from './workspace'

/** Longer than any URL Node accepts, so that an overlong id is simply not found. */
const MAX_ID_LENGTH = 65_536

/**
 * The HTTP server of one workspace, not yet listening.
 * @param localOnly refuse requests that name another host than this machine
 */
export function createServer(workspace: Workspace, localOnly: boolean): FastifyInstance {
  const closing = new AbortController()
  // Each delayed request listens, and they may be many.
  setMaxListeners(0, closing.signal)
  const app = fastify({
    schemaController: noSchemas,
    bodyLimit: assumed.bodyMaximum.value,
    forceCloseConnections: true,
    routerOptions: { querystringParser: parseQuery, maxParamLength: MAX_ID_LENGTH },
    frameworkErrors: (error, _request, reply: FastifyReply) => void reply.code(400).send({ error: error.message })
  })
  app.addHook('preClose', async () => closing.abort())
  if (localOnly) {
    app.addHook('onRequest', localHostOnly('use http://127.0.0.1 or http://localhost, or start it with --host'))
  }
  answerUnknownPaths(app, workspace)
  readBodies(app)
  answerErrors(app, explain, (error, route) => console.error(`sandbox: ${route} failed: ${error.message}`))
  const refuseOtherMethods = collectMethods(app, workspace)
  app.register(
    async (api) => {
      addAuth(api, workspace, closing.signal)
      segmentRoutes(api, workspace)
      api.register(
        async (v1) => {
          for (const addRoutes of [keyRoutes, contactRoutes, eventRoutes, listRoutes, customFieldRoutes]) {
            addRoutes(v1, workspace)
          }
        },
        { prefix: '/v1' }
      )
    },
    { prefix: '/api' }
  )
  app.after(refuseOtherMethods)
  app.register(async (inspect) => inspectRoutes(inspect, workspace), { prefix: '/_sandbox' })
  return app
}

const NOT_JSON = 'Content-Type must be application/json'

/** Bodies are JSON or refused, as long as there is one. */
function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  const read = { parseAs: 'buffer' } as const
  app.addContentTypeParser('application/json', read, async (_: FastifyRequest, bytes: Buffer) => parseJson(bytes))
  app.addContentTypeParser('*', read, async (_: FastifyRequest, bytes: Buffer) => {
    if (bytes.length) throw new HttpError(assumed.malformed.value, NOT_JSON)
  })
}

/** Fastify's words where a client can read better ones. */
function explain(error: FastifyError): ErrorAnswer {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return errorAnswer(new HttpError(413, `Request body is larger than ${assumed.bodyMaximum.value} bytes`))
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return errorAnswer(new HttpError(assumed.malformed.value, NOT_JSON))
  }
  return errorAnswer(error)
}
