import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { HttpError } from '../../http/errors'
import type { CallsLeft } from '../delivery'
import type { BridgeEvent } from '../event'
import type { Progress, Queue } from '../queue'
import { editedEvent } from './edit'
import { Jobs } from './jobs'
import { bulkFilter, params, parse } from './params'

interface AdminOptions {
  queue: Pick<Queue, 'partitions' | 'deadLetters' | 'forget'>
  /** What the operator's requests carry as `Authorization: Bearer TOKEN`. */
  token: string
  /** How many calls the key of a partition has left this minute, as far as this process knows. */
  callsLeft?: Pick<CallsLeft, 'of'>
}

/**
 * What an operator asks and tells the bridge, below `/_bridge`: keys, their waiting events, dead letters. Whoever has the token may
 * read every event, so that being on this machine is not enough.
 */
export async function adminApi(app: FastifyInstance, { queue, token, callsLeft }: AdminOptions): Promise<void> {
  const { partitions, deadLetters } = queue
  const jobs = new Jobs()
  app.addHook('onRequest', tokenOnly(token))

  app.get('/keys', async ({ query }) => {
    const keys = await partitions.list(parse(params.keys, query))
    return { keys: keys.map((key) => ({ ...key, callsLeft: callsLeft?.of(key.partition) })) }
  })

  app.get('/keys/:partition/events', async (request) => {
    const { partition } = parse(params.key, request.params)
    return { events: await partitions.events({ partition }, parse(params.waiting, request.query)) }
  })

  const changes = { pause: partitions.pause, resume: partitions.resume, retry: partitions.retry, drop: partitions.drop }
  for (const [name, change] of Object.entries(changes)) {
    app.post(`/keys/:partition/${name}`, async (request) => {
      const filter = parse(params.key, request.params)
      if ((await partitions.list({ ...filter, limit: 1 })).length === 0) throw new HttpError(404, 'no such key')
      return { changed: await change(filter) }
    })
  }

  app.get('/report', async ({ query }) => ({ names: await partitions.report(parse(params.report, query)) }))

  app.get('/dead-letters', async ({ query }) => {
    const { before, limit, ...filter } = parse(params.letters, query)
    const [total, found] = await Promise.all([deadLetters.count(filter), deadLetters.list(filter, { before, limit })])
    return { total, deadLetters: found }
  })

  app.get('/dead-letters/:id', async (request) => ({ deadLetter: opened(await letterOf(request)) }))

  app.post('/dead-letters/:id/retry', async (request) => {
    const { id, type } = await letterOf(request)
    if (type === 'rejected') throw new HttpError(409, 'not an event, so it cannot be delivered as it is: edit it')
    return deadLetters.retry({ ids: [id] })
  })

  app.put('/dead-letters/:id', async (request) => {
    const letter = await letterOf(request)
    await deadLetters.replace(letter.id, editedEvent(letter, request.body))
    return deadLetters.retry({ ids: [letter.id] })
  })

  app.delete('/dead-letters/:id', async (request) => {
    const { id } = await letterOf(request)
    return { purged: await deadLetters.purge({ ids: [id] }) }
  })

  app.post('/dead-letters/retry', async ({ query }, reply) => {
    const filter = bulkFilter(query)
    const total = await deadLetters.count(filter)
    const job = jobs.start('retry dead letters', total, (progress) => deadLetters.retry(filter, progress))
    return reply.code(202).send({ job })
  })

  app.post('/dead-letters/purge', async ({ query }, reply) => {
    const filter = bulkFilter(query)
    const total = await deadLetters.count(filter)
    const purge = async (progress: Progress) => ({ purged: await deadLetters.purge(filter, progress) })
    return reply.code(202).send({ job: jobs.start('purge dead letters', total, purge) })
  })

  // A body, since addresses in a URL end up in logs.
  app.put('/forget', async ({ body }) => queue.forget(parse(params.person, body)))

  app.get('/jobs', async () => ({ jobs: jobs.list() }))
  app.get('/jobs/:id', async (request) => {
    const job = jobs.get((request.params as { id: string }).id)
    if (job === undefined) throw new HttpError(404, 'no such job, or the bridge has been restarted')
    return { job }
  })

  async function letterOf({ params: given }: FastifyRequest) {
    const letter = await deadLetters.show(parse(params.one, given).id)
    if (letter === undefined) throw new HttpError(404, 'no such dead letter')
    return letter
  }
}

function tokenOnly(token: string) {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const expected = digest(`Bearer ${token}`)
  return async ({ headers }: FastifyRequest): Promise<void> => {
    if (timingSafeEqual(digest(headers.authorization ?? ''), expected)) return
    throw new HttpError(401, 'send "Authorization: Bearer …" with the BRIDGE_ADMIN_TOKEN of this bridge', {
      'www-authenticate': 'Bearer'
    })
  }
}

/** A dead letter with its event as it would be sent again, and whose it is. */
function opened({ content, ...letter }: { content: unknown; type: string }): object {
  if (letter.type === 'rejected') return { ...letter, event: content }
  const { event, options, userId, anonymousId, email } = content as BridgeEvent
  return { ...letter, event, options, user: { userId, anonymousId, email } }
}
