import fastify from 'fastify'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { localHostOnly } from '../http/guards'
import { noSchemas } from '../http/no-schemas'
import type { Body } from './contract/body'
import { answerError, likeExpress } from './contract/edge'
import type { Definition } from './contract/exchanges'
import type { CallOptions, Route } from './contract/route'
import { routes } from './contract/routes'
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
    schemaController: noSchemas,
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
  likeExpress(app)

  for (const route of routes(definition, directoryName)) addRoute(app, route)
  if (ui) void app.register(tester, { definition })
  return app
}

function addRoute(app: FastifyInstance, { method, path, handle }: Route): void {
  app.route<{ Body: Body | undefined; Params: { '*'?: string } }>({
    method,
    url: path,
    handler: async (request, reply) => {
      const { status, body } = await handle(request.body ?? {}, callOptions(request), request.params['*'] ?? '')
      return reply
        .code(status)
        .type('application/json; charset=utf-8')
        .send(JSON.stringify(body) ?? 'null')
    }
  })
}

/** `x-multistatus: true` or `?multistatus=true`, and `?subscription=true`. */
function callOptions({ headers, query }: Pick<FastifyRequest, 'headers' | 'query'>): CallOptions {
  const asked = query as Record<string, unknown>
  return {
    multistatus: headers['x-multistatus'] === 'true' || asked.multistatus === 'true',
    subscription: asked.subscription === 'true'
  }
}
