import fastify from 'fastify'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Body } from './body'
import { localHostOnly } from '../http/guards'
import { acceptBodies } from './content'
import { allowOrigin, answerPreflight } from './cors'
import type { Definition } from './definition'
import { answerError, htmlError } from './refusals'
import { routes } from './routes'
import type { Route, Wishes } from './route'
import { tester } from './tester'

export interface ServeAppOptions {
  definition: Definition
  /** Shown in the manifest. */
  directoryName: string
  /** The page at `/`; default true. */
  ui?: boolean
  /** Largest request body in bytes; default 102400, as the original. */
  bodyLimit?: number
  /** Takes one line `METHOD path status 12ms` for every request, without query, key or body. Default: none is written. */
  log?: (line: string) => void
}

const DEFAULT_BODY_LIMIT = 100 * 1024

/** The HTTP contract of Segment's `actions-cli serve` for one destination, as a Fastify app that does not listen yet. */
export function buildApp(options: ServeAppOptions): FastifyInstance {
  const { definition, directoryName, ui = true, bodyLimit = DEFAULT_BODY_LIMIT, log } = options
  const app = fastify({
    bodyLimit,
    // As in Express, which the original is made with, `/Manifest` and `/manifest/` are `/manifest`.
    routerOptions: { caseSensitive: false, ignoreTrailingSlash: true },
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply)
  })

  if (log) {
    app.addHook('onResponse', async ({ method, routeOptions }, { statusCode, elapsedTime }) =>
      log(`${method} ${routeOptions.url ?? '(unknown path)'} ${statusCode} ${Math.round(elapsedTime)}ms`)
    )
  }
  app.addHook('onRequest', localHostOnly('use http://localhost or http://127.0.0.1'))
  app.addHook('onRequest', async (request, reply) => {
    allowOrigin(request, reply)
    if (request.method === 'OPTIONS') return answerPreflight(request, reply)
  })
  acceptBodies(app)
  app.setErrorHandler(answerError)
  app.setNotFoundHandler(({ method, url }, reply) => htmlError(reply, 404, `Cannot ${method} ${url.split('?')[0]}`))

  for (const route of routes(definition, directoryName)) addRoute(app, route)
  if (ui) void app.register(tester, { definition })
  return app
}

function addRoute(app: FastifyInstance, { method, path, handle }: Route): void {
  app.route<{ Body: Body | undefined; Params: { '*'?: string } }>({
    method,
    url: path,
    handler: async (request, reply) => {
      const { status, body } = await handle(request.body ?? {}, wishesOf(request), request.params['*'] ?? '')
      return reply
        .code(status)
        .type('application/json; charset=utf-8')
        .send(JSON.stringify(body) ?? 'null')
    }
  })
}

/** `x-multistatus: true` or `?multistatus=true`, and `?subscription=true`. */
function wishesOf({ headers, query }: Pick<FastifyRequest, 'headers' | 'query'>): Wishes {
  const asked = query as Record<string, unknown>
  return {
    multistatus: headers['x-multistatus'] === 'true' || asked.multistatus === 'true',
    subscription: asked.subscription === 'true'
  }
}
