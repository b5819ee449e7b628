import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import throttle from 'lodash/throttle'
import type { z } from 'zod'
import { runAction } from '../contract/action'
import type { Definition } from '../contract/exchanges'
import type { Body } from '../contract/body'
import { callReply } from '../contract/route'
import { assets } from './assets'
import { answerDocument } from './document'
import { answerErrors, HttpError } from '../../http/errors'
import { ownPagesOnly } from '../../http/guards'
import { findUpstreams } from './upstreams'
import { plan, planCall } from './plan'
import { preview, previewCall } from './preview'
import { proxy } from './proxy'
import { fileCall, readDoc, start, writeSample } from './start'

/** Events of this page may be large, and many; the public routes keep the original's limit. */
const MAX_BODY_BYTES = 16 * 1024 * 1024
const LOOK_MS = 3_000
const LARGE = { bodyLimit: MAX_BODY_BYTES }

/**
 * The page at `/`, and what it needs below `/tester/`, where no route of a destination can be. All else it asks of the
 * public routes. Errors are JSON, `{error}`.
 */
export async function tester(app: FastifyInstance, { definition }: { definition: Definition }): Promise<void> {
  // Asked for with each request to one of them, and looked for now and then.
  const upstreams = throttle(() => findUpstreams(process.env), LOOK_MS, { trailing: false })
  answerErrors(app)
  app.addHook('onRequest', ownPagesOnly)
  app.addHook('onSend', async (_request, reply) => {
    void reply.headers({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
  })

  app.get('/', answerDocument)
  for (const file of ['app.js', 'app.css', 'icon.svg']) app.get(`/tester/${file}`, sendAsset)
  app.get('/tester/start', async () => start(await upstreams()))
  app.post('/tester/plan', LARGE, ({ body }) => plan(definition, read(planCall, body)))
  app.post('/tester/preview', LARGE, ({ body }) => preview(definition, read(previewCall, body)))
  app.post<{ Params: { action: string }; Body: Body }>('/tester/send/:action', LARGE, async ({ params, body }) => {
    if (!Object.hasOwn(definition.actions, params.action))
      throw new HttpError(404, 'The destination has no such action.')
    return callReply(await runAction(definition, params.action, body, true), { multistatus: true }).body
  })
  app.post('/tester/files/:folder', async ({ params, body }) =>
    writeSample(read(fileCall, { ...Object(body), ...Object(params) }))
  )
  app.get<{ Params: { name: string } }>('/tester/docs/:name', async ({ params }, reply) =>
    reply.type('text/plain; charset=utf-8').send(await readDoc(params.name))
  )
  void app.register(proxy, { prefix: '/tester', upstreams })
}

/** A call of this page. @throws HttpError 400 */
function read<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const call = schema.safeParse(body)
  if (call.success) return call.data
  throw new HttpError(400, `${call.error.issues[0].path.join('.')} is not what this page sends`)
}

async function sendAsset({ url, headers }: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const asset = (await assets()).get(url.replace(/^.*\/|\?.*$/g, ''))
  if (!asset) return reply.code(404).send({ error: 'The page has no such file.' })
  void reply.headers({ etag: asset.etag, 'cache-control': 'no-cache' })
  if (headers['if-none-match'] === asset.etag) return reply.code(304).send()
  return reply.headers({ 'content-type': asset.type, 'content-encoding': 'gzip' }).send(asset.gzipped)
}
