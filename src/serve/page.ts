import type { FastifyInstance } from 'fastify'
import { routeLines } from './routes'
import type { Route } from './route'

/**
 * What a person sees at `/`, absent with `--noUI`. Everything of the page is registered here: `/`, and below `/tester/`
 * where no route of a destination can be.
 */
export async function page(app: FastifyInstance, { routes }: { routes: Route[] }): Promise<void> {
  app.get('/', async (_request, reply) =>
    reply
      .type('text/plain; charset=utf-8')
      .send(['EmailSendX for Segment, local server', ...routeLines(routes)].join('\n'))
  )
}
