import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Definition } from '../contract/exchanges'
import { assets } from './assets'
import { answerDocument } from './document'
import { answerErrors } from '../../http/errors'
import { ownPagesOnly } from '../../http/guards'
import { upstreamsOf } from './upstreams'
import { preview, previewCall } from './preview'
import { bridgeProxy, sandboxProxy } from './proxy'
import { start } from './start'

/**
 * The page at `/`, and what it needs below `/tester/`, where no route of a destination can be. All else it asks of the
 * public routes. Errors are JSON, `{error}`.
 */
export async function tester(app: FastifyInstance, { definition }: { definition: Definition }): Promise<void> {
  const upstreams = upstreamsOf(process.env)
  answerErrors(app)
  app.addHook('onRequest', ownPagesOnly)
  app.addHook('onSend', async (_request, reply) => {
    void reply.headers({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
  })

  app.get('/', answerDocument)
  for (const file of ['app.js', 'app.css', 'icon.svg']) app.get(`/tester/${file}`, sendAsset)
  app.get('/tester/start', async () => start(upstreams))
  app.post('/tester/preview', async ({ body }, reply) => {
    const call = previewCall.safeParse(body)
    return call.success
      ? preview(definition, call.data)
      : reply.code(400).send({ error: `${call.error.issues[0].path.join('.')} is not what this page sends` })
  })
  void app.register(sandboxProxy, { prefix: '/tester/sandbox', ...upstreams })
  void app.register(bridgeProxy, { prefix: '/tester/bridge', ...upstreams })
}

async function sendAsset({ url, headers }: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const asset = (await assets()).get(url.replace(/^.*\/|\?.*$/g, ''))
  if (!asset) return reply.code(404).send({ error: 'The page has no such file.' })
  void reply.headers({ etag: asset.etag, 'cache-control': 'no-cache' })
  if (headers['if-none-match'] === asset.etag) return reply.code(304).send()
  return reply.headers({ 'content-type': asset.type, 'content-encoding': 'gzip' }).send(asset.gzipped)
}
