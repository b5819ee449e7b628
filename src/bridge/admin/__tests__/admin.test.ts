import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { buildApp } from '../../app'
import { Memory } from '../../ingest/memory'
import { createMetrics } from '../../metrics'
import { openQueue } from '../../queue'
import type { DeadLetter, PartitionStatus, Queue } from '../../queue'
import type { Job } from '../jobs'

const token = 'a-token-of-the-operator'
const key = 'esx_test_0123456789abcdef0123456789abcdef'
const other = 'esx_test_ffffffffffffffffffffffffffffffff'
const track = { type: 'track', messageId: 'm1', event: 'Purchase Completed', userId: 'user_12345' }

let queue: Queue
let app: FastifyInstance

async function start(adminToken?: string): Promise<void> {
  queue = await openQueue(':memory:')
  const memory = new Memory()
  const metrics = createMetrics(queue, memory)
  const log = pino({ level: 'silent' })
  app = buildApp({ queue, memory, metrics, log, adminToken, maxEventBytes: 32_000, isStopping: () => false })
}

async function stop(): Promise<void> {
  await app.close()
  await queue.close()
}

async function ask<Answer>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object) {
  const headers = { authorization: `Bearer ${token}` }
  const answer = await app.inject({ method, url: `/_bridge${path}`, headers, payload: body })
  return { status: answer.statusCode, text: answer.payload, body: answer.json<Answer>() }
}

const send = (events: unknown[], apiKey = key) =>
  app.inject({
    method: 'POST',
    url: '/api/segment/track',
    headers: { authorization: `Bearer ${apiKey}` },
    payload: JSON.stringify(events)
  })

/** Makes dead letters of everything that waits. */
async function kill(detail = 'no such list'): Promise<void> {
  await queue.runs.heartbeat('w', 5_000)
  const [lease] = await queue.runs.claim('w', { pool: 'unproven', limit: 1 })
  const { events } = await queue.runs.head(lease, { rows: 100, bytes: 1e6 })
  await queue.runs.ack(lease, { dead: [{ ids: events.map(({ id }) => id), reason: 'refused', detail }] })
  await queue.runs.release(lease, { pausedUntil: 0, failures: 0, slow: false, succeeded: true, tried: true })
}

async function firstKey(): Promise<PartitionStatus> {
  return (await ask<{ keys: PartitionStatus[] }>('GET', '/keys')).body.keys[0]
}

async function letters(query = ''): Promise<DeadLetter[]> {
  return (await ask<{ deadLetters: DeadLetter[] }>('GET', `/dead-letters${query}`)).body.deadLetters
}

async function ended(job: Job): Promise<Job> {
  for (;;) {
    const { body } = await ask<{ job: Job }>('GET', `/jobs/${job.id}`)
    if (body.job.endedAt !== undefined) return body.job
    await nextTurn()
  }
}

describe('the admin API', () => {
  beforeAll(() => start(token))
  afterAll(stop)

  it('is for those who have the token, wherever they are', async () => {
    for (const authorization of [undefined, 'Bearer', `Bearer ${key}`, `Bearer ${token}x`, `Basic ${token}`]) {
      for (const url of ['/_bridge/keys', '/_bridge/dead-letters/1', '/_bridge/nothing']) {
        const answer = await app.inject({ url, headers: { ...(authorization && { authorization }) } })
        if (url.endsWith('nothing')) expect([401, 404]).toContain(answer.statusCode)
        else expect(answer.statusCode).toBe(401)
        expect(answer.payload).not.toContain(token)
      }
    }
    expect((await ask('GET', '/keys')).status).toBe(200)
  })

  it('says which keys nobody knows', async () => {
    expect(await ask('POST', '/keys/nobody/pause')).toMatchObject({ status: 404, body: { error: 'no such key' } })
    expect((await ask('POST', '/keys/%25/pause')).status).toBe(400)
    expect((await ask('GET', '/keys?limit=all')).body).toEqual({ error: 'limit must be a number' })
  })

  it.each([
    ['GET', '/dead-letters/999'],
    ['PUT', '/dead-letters/999'],
    ['DELETE', '/dead-letters/999'],
    ['POST', '/dead-letters/999/retry'],
    ['GET', '/jobs/999']
  ] as const)('%s %s is 404', async (method, path) => {
    expect((await ask(method, path, method === 'PUT' ? track : undefined)).status).toBe(404)
  })
})

it('the admin API is not there without a token', async () => {
  await start()
  expect((await ask('GET', '/keys')).status).toBe(404)
  await stop()
})

describe('keys', () => {
  beforeEach(() => start(token))
  afterEach(stop)

  it('are shown with what waits, how long, and why, by how they begin', async () => {
    await send([track, null])
    const { body, text } = await ask<{ keys: PartitionStatus[] }>('GET', '/keys')
    expect(body.keys).toMatchObject([
      {
        keyPrefix: 'esx_test_0123',
        events: 1,
        deferred: 0,
        deferredFor: {},
        delivered: 0,
        deadLetters: 1,
        proven: false,
        paused: false,
        oldestArrivedAt: expect.any(Number) as number
      }
    ])
    expect(text).not.toContain(key)
  })

  it('can be looked into: what waits, in its order, page by page', async () => {
    await send([track, { ...track, messageId: 'm2' }, { ...track, messageId: 'm3' }])
    const { partition } = await firstKey()
    const page = async (query: string) => {
      const { body } = await ask<{ events: { id: number; event: { messageId: string } }[] }>(
        'GET',
        `/keys/${partition}/events${query}`
      )
      return body.events
    }
    const first = await page('?limit=2')
    expect(first.map(({ event }) => event.messageId)).toEqual(['m1', 'm2'])
    expect((await page(`?after=${first[1].id}`)).map(({ event }) => event.messageId)).toEqual(['m3'])
  })

  it('are paused, resumed and emptied one by one', async () => {
    await send([track])
    await send([track], other)
    const { partition } = await firstKey()
    expect((await ask('POST', `/keys/${partition}/pause`)).body).toEqual({ changed: 1 })
    expect(await firstKey()).toMatchObject({ partition, paused: true })
    expect((await ask('POST', `/keys/${partition}/retry`)).body).toEqual({ changed: 0 })
    expect((await ask('POST', `/keys/${partition}/resume`)).body).toEqual({ changed: 1 })
    expect((await ask('POST', `/keys/${partition}/drop`)).body).toEqual({ changed: 1 })
    expect(await queue.stats()).toMatchObject({ events: 1, deadLetters: 0 })
  })
})

describe('dead letters', () => {
  beforeEach(() => start(token))
  afterEach(stop)

  it('are listed by filters, page by page', async () => {
    await send([track, { ...track, messageId: 'm2' }, null])
    await kill()
    expect((await letters()).map(({ reason }) => reason)).toEqual(['refused', 'refused', 'rejected'])
    expect(await letters('?reason=refused&limit=1&since=1h&type=track')).toMatchObject([{ messageId: 'm2' }])
    expect(await letters('?until=1h')).toEqual([])
    const [newest] = await letters()
    expect((await letters(`?before=${newest.id}`)).length).toBe(2)
    expect((await ask('GET', '/dead-letters?reason=bad')).body).toMatchObject({
      error: expect.stringContaining('reason must be one of rejected, refused') as string
    })
  })

  it('can be opened: the event, whose it is, and why', async () => {
    await send([{ ...track, email: 'Morgan@acme.com' }])
    await kill()
    const [{ id }] = await letters()
    expect((await ask('GET', `/dead-letters/${id}`)).body).toMatchObject({
      deadLetter: {
        id,
        reason: 'refused',
        detail: 'no such list',
        attempts: 0,
        event: { type: 'track', event: 'Purchase Completed' },
        options: {},
        user: { userId: 'user_12345', email: 'morgan@acme.com' }
      }
    })
  })

  it('are retried, edited and retried, and purged', async () => {
    await send([track, { ...track, messageId: 'm2', traits: { email: 'no address' } }, null])
    await kill()
    const [wrong, good, nothing] = await letters()
    expect((await ask('POST', `/dead-letters/${good.id}/retry`)).body).toEqual({ retried: 1, kept: 0 })
    expect((await ask('POST', `/dead-letters/${nothing.id}/retry`)).status).toBe(409)
    expect((await ask('DELETE', `/dead-letters/${nothing.id}`)).body).toEqual({ purged: 1 })

    const event = { ...track, traits: { email: 'morgan@acme.com' } }
    expect((await ask('PUT', `/dead-letters/${wrong.id}`, event)).body).toEqual({ retried: 1, kept: 0 })
    expect(await letters()).toEqual([])
    const waiting = await queue.partitions.events({ apiKey: key })
    expect(waiting.map((one) => [one.event.messageId, one.event.email, one.event.emailProblem])).toEqual([
      ['m1', undefined, undefined],
      ['m2', 'morgan@acme.com', undefined]
    ])
    const { bytes } = await queue.stats()
    await queue.partitions.drop({})
    expect(bytes).toBeGreaterThan(0)
    expect((await queue.stats()).bytes).toBe(0)
  })

  it('that were no events become some when they are edited', async () => {
    await send([null])
    const [{ id }] = await letters()
    expect((await ask('PUT', `/dead-letters/${id}`, { type: 'page' })).status).toBe(400)
    expect((await ask('PUT', `/dead-letters/${id}`, [track])).body).toEqual({ error: 'send the event as JSON' })
    expect((await ask('PUT', `/dead-letters/${id}`, { type: 'track' })).body).toMatchObject({
      error: expect.stringContaining('without the name of its event') as string
    })
    expect((await ask('PUT', `/dead-letters/${id}`, track)).body).toEqual({ retried: 1, kept: 0 })
    expect(await queue.stats()).toMatchObject({ events: 1, deadLetters: 0 })
  })

  it('are retried and purged in bulk, as a job that says how far it is', async () => {
    await send(Array.from({ length: 30 }, (_, i) => ({ ...track, messageId: `m${i}` })))
    await send([null])
    await kill()
    expect((await ask('POST', '/dead-letters/retry')).body).toEqual({
      error: 'say which ones: a filter such as reason, or all=true'
    })
    const retry = await ask<{ job: Job }>('POST', '/dead-letters/retry?reason=refused')
    expect(retry).toMatchObject({ status: 202, body: { job: { what: 'retry dead letters', total: 30 } } })
    expect(await ended(retry.body.job)).toMatchObject({ done: 30, result: { retried: 30, kept: 0 } })
    const purge = await ask<{ job: Job }>('POST', '/dead-letters/purge?all=true')
    expect(await ended(purge.body.job)).toMatchObject({ done: 1, result: { purged: 1 } })
    expect((await ask<{ jobs: Job[] }>('GET', '/jobs')).body.jobs).toHaveLength(2)
    expect(await queue.stats()).toMatchObject({ events: 30, deadLetters: 0 })
  })

  it('and waiting events of a person are erased, of others not', async () => {
    await send([{ ...track, email: 'morgan@acme.com' }, { ...track, messageId: 'm2', userId: 'other' }, null])
    const { status, text } = await ask('PUT', '/forget', { email: 'Morgan@acme.com' })
    expect([status, JSON.parse(text)]).toEqual([200, expect.objectContaining({ events: 1, deadLetters: 0 })])
    expect((await queue.partitions.events({})).map(({ event }) => event.messageId)).toEqual(['m2'])
    expect((await ask('PUT', '/forget', { email: 'a@b.io', userId: 'u' })).body).toEqual({
      error: 'give email or userId'
    })
    expect((await ask('PUT', '/forget', {})).status).toBe(400)
  })
})
