import { existsSync, readFileSync } from 'node:fs'
import { Client } from 'pg'
import Database from 'libsql'
import { normalize } from '../../ingest/normalize'
import type { Normalized } from '../../ingest/normalize'
import { anonymousKey, emailKey, userKey } from '../keys'
import { PartitionRefused, LeaseLost, openQueue, QueueFull, QueueUnavailable, QueueUnusable } from '..'
import type { Ack, ClaimedPartition, Deferral, Queue, QueuedEvent, QueueOptions } from '..'
import { identify, track } from './__helpers__/events'
import { prove } from './__helpers__/prove'
import { engines, runSql, SECRET, stores } from './__helpers__/stores'

const HOUR = 60 * 60 * 1000
const DAY = 24 * HOUR
const START = Date.UTC(2026, 10, 23)
const key = { apiKey: 'esx_test_one' }
const other = { apiKey: 'esx_test_two' }
const ALL = { rows: 1000, bytes: 1_000_000 }
const STATE = { pausedUntil: 0, failures: 0, slow: false, succeeded: false, tried: false }

describe.each(engines)('a queue on %s', (engine) => {
  const { fresh, unused } = stores(engine)
  let queue: Queue
  let target: string
  let now: number
  /** What most tests use: to open a queue takes longer than they do. It has the rows alone to remember anything by. */
  let shared: Queue | undefined
  const more: Queue[] = []

  beforeEach(async () => {
    now = START
    target = await unused(async (place) => {
      const made = await openQueue(place, { secret: SECRET, now: () => now })
      await prove(made, key.apiKey, other.apiKey)
      await made.close()
    })
    shared ??= await openQueue(target, { secret: SECRET, now: () => now })
    queue = shared
  })
  afterEach(async () => {
    await Promise.all(more.splice(0).map((each) => each.close()))
  })
  afterAll(() => shared?.close())

  async function open(options: QueueOptions = {}): Promise<Queue> {
    const opened = await openQueue(target, { secret: SECRET, now: () => now, ...options })
    more.push(opened)
    return opened
  }

  async function take(partition = key, ...events: ReturnType<typeof track>[]) {
    return queue.enqueue(partition, { events, rejected: [] })
  }

  /** The partition that has been due for longest, those of proven keys first. */
  async function claim(worker = 'worker', by = queue): Promise<ClaimedPartition> {
    await by.runs.heartbeat(worker, 10_000)
    const [partition] = await by.runs.claim(worker, { pool: 'normal', limit: 1 })
    return partition ?? (await by.runs.claim(worker, { pool: 'unproven', limit: 1 }))[0]
  }

  async function queued(partition: ClaimedPartition): Promise<QueuedEvent[]> {
    return (await queue.runs.head(partition, ALL)).events
  }

  const sql = (statements: string) => runSql(target, statements)

  describe('intake', () => {
    it('gives back what it took, to the letter, after being closed and opened again', async () => {
      target = await fresh()
      queue = await open()
      const odd = track({ userId: 'ü\0\ud800"', email: 'ann@example.com' }, 'x', { deep: [{ '': null }], nul: 'a\0b' })
      await take(key, odd, identify())
      await queue.close()
      queue = await open()

      const partition = await claim()
      expect(partition.apiKey).toBe(key.apiKey)
      expect((await queued(partition)).map(({ event }) => event.messageId)).toEqual([odd.messageId, expect.any(String)])
      expect((await queued(partition))[0]).toEqual({
        id: expect.any(Number),
        event: odd,
        arrivedAt: START,
        attempts: 0,
        firstFailedAt: undefined,
        firing: false
      })
    })

    it('tells duplicates by their message id, inside a request, between requests and after delivery', async () => {
      const one = track()
      const two = track()
      expect(await take(key, one, two, one)).toEqual({ accepted: 2, duplicates: 1 })
      expect(await take(key, two)).toEqual({ accepted: 0, duplicates: 1 })

      const partition = await claim()
      const events = await queued(partition)
      await queue.runs.ack(partition, { delivered: events.map(({ id }) => id) })
      expect(await take(key, one, two)).toEqual({ accepted: 0, duplicates: 2 })
      expect(await take(other, one, two)).toEqual({ accepted: 2, duplicates: 0 })
    })

    it('tells duplicates among requests that come at the same time', async () => {
      const events = Array.from({ length: 20 }, () => track())
      const answers = await Promise.all([take(key, ...events), take(key, ...events), take(key, ...events.reverse())])
      expect(answers.reduce((total, { accepted }) => total + accepted, 0)).toBe(20)
      expect(answers.reduce((total, { duplicates }) => total + duplicates, 0)).toBe(40)
      expect((await queue.stats()).events).toBe(20)
    })

    it('keeps the order of arrival', async () => {
      const events = Array.from({ length: 50 }, () => track())
      for (const event of events) await take(key, event)
      const partition = await claim()
      expect((await queued(partition)).map(({ event }) => event.messageId)).toEqual(
        events.map(({ messageId }) => messageId)
      )
    })

    it('makes dead letters of rejected items, once', async () => {
      const rejected = [{ messageId: 'm1', reason: 'It has no name\0.', item: { type: 'track' } }]
      await queue.enqueue(key, { events: [], rejected })
      await queue.enqueue(key, { events: [track({ messageId: 'm1' })], rejected })

      expect(await queue.stats()).toMatchObject({ events: 1, deadLetters: 1 })
      const [letter] = await queue.deadLetters.list({})
      expect(letter).toMatchObject({ messageId: 'm1', type: 'rejected', reason: 'rejected', detail: 'It has no name.' })
      expect(await queue.deadLetters.show(letter.id)).toMatchObject({ content: { type: 'track' } })
    })

    it('takes many large requests at once', async () => {
      const keys = ['one', 'two', 'three'].map((apiKey) => ({ apiKey }))
      await prove(queue, ...keys.map(({ apiKey }) => apiKey))
      const requests = Array.from({ length: 30 }, (_, partition) =>
        queue.enqueue(keys[partition % 3], {
          events: Array.from({ length: 150 }, () => track({}, 'x', { pad: 'x'.repeat(500) })),
          rejected: []
        })
      )
      await Promise.all(requests)
      expect(await queue.stats()).toMatchObject({ events: 4500, partitions: 5 })
    })

    it('lets others have their turn while it makes a large request into rows', async () => {
      let turn = 0
      const turns = setInterval(() => turn++, 0)
      const written: number[] = []
      const slow = {
        toJSON: () => {
          written.push(turn)
          for (const until = performance.now() + 2; performance.now() < until; );
          return 'slow'
        }
      }
      await take(key, ...Array.from({ length: 60 }, () => identify({}, { slow })))
      clearInterval(turns)
      expect(new Set(written).size).toBeGreaterThan(5)
    })

    it('takes one event of 4 MB', async () => {
      const huge = track({}, 'x', { pad: 'x'.repeat(4_000_000) })
      await take(key, track(), huge, track())
      const partition = await claim()
      const page = await queue.runs.head(partition, ALL)
      expect(page).toMatchObject({ events: [{}], complete: false })
      await queue.runs.ack(partition, { delivered: [page.events[0].id] })
      expect((await queued(partition))[0].event).toEqual(huge)
    })

    it('refuses what goes over the limit of a partition, and nothing else', async () => {
      queue = await open({ maxPartitionBytes: 2_000 })
      await take(key, track(), track())
      const refused = take(key, track({}, 'x', { pad: 'x'.repeat(2000) }))
      await expect(refused).rejects.toMatchObject({ name: 'QueueFull', scope: 'partition', limit: 'bytes' })
      expect(await take(other, track())).toEqual({ accepted: 1, duplicates: 0 })
      expect((await queue.stats()).events).toBe(3)
    })

    it('refuses what goes over the limit of the store, until there is room again', async () => {
      queue = await open({ maxBytes: 10_000 })
      await take(key, track({}, 'x', { pad: 'x'.repeat(8000) }))
      await expect(take(other, track({}, 'x', { pad: 'x'.repeat(2000) }))).rejects.toThrow(QueueFull)
      await expect(take(other, track({}, 'x', { pad: 'x'.repeat(2000) }))).rejects.toMatchObject({ scope: 'store' })

      const partition = await claim()
      const [{ id }] = await queued(partition)
      await queue.runs.ack(partition, { delivered: [id] })
      queue = await open({ maxBytes: 10_000 })
      expect(await take(other, track({}, 'x', { pad: 'x'.repeat(2000) }))).toMatchObject({ accepted: 1 })
    })

    it('refuses more for a partition whose oldest event is stuck for too long', async () => {
      queue = await open({ maxAgeMs: HOUR })
      await take(key, track())
      now += HOUR + 1
      await expect(take(key, track())).rejects.toMatchObject({ name: 'QueueFull', scope: 'partition', limit: 'age' })
      expect(await take(other, track())).toMatchObject({ accepted: 1 })
    })

    it('rejects everything once it is closed', async () => {
      queue = await open()
      await queue.close()
      await expect(take(key, track())).rejects.toThrow(QueueUnavailable)
      await expect(queue.stats()).rejects.toThrow(QueueUnavailable)
    })
  })

  describe('partitions', () => {
    it('are claimed by one worker only', async () => {
      await Promise.all(Array.from({ length: 20 }, (_, partition) => take({ apiKey: `key ${partition}` }, track())))
      const twin = await open()
      await Promise.all([queue.runs.heartbeat('one', 10_000), twin.runs.heartbeat('two', 10_000)])
      const claims = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          index % 2
            ? queue.runs.claim('one', { pool: 'unproven', limit: 5 })
            : twin.runs.claim('two', { pool: 'unproven', limit: 5 })
        )
      )
      const ids = claims.flat().map(({ partitionId }) => partitionId)
      expect(new Set(ids).size).toBe(ids.length)
      expect(ids.length).toBeGreaterThanOrEqual(5)
    })

    it('of a worker that has gone silent go to another, and nothing the first one says counts any more', async () => {
      await take(key, track())
      await queue.runs.heartbeat('first', 50)
      const [stale] = await queue.runs.claim('first', { pool: 'normal', limit: 1 })
      const [{ id }] = await queued(stale)
      await queue.runs.markFiring(stale, id)

      let partition: ClaimedPartition | undefined
      while (!partition) partition = await claim('second')
      await expect(queue.runs.head(stale, ALL)).rejects.toThrow(LeaseLost)
      await expect(queue.runs.markFiring(stale, id)).rejects.toThrow(LeaseLost)
      await expect(queue.runs.ack(stale, { delivered: [id] })).rejects.toThrow(LeaseLost)
      await expect(queue.runs.release(stale, STATE)).rejects.toThrow(LeaseLost)
      expect(await queued(partition)).toMatchObject([{ id, firing: true }])
    })

    it('of a worker that says goodbye are free at once', async () => {
      await take(key, track())
      await claim('first')
      expect(await claim('second')).toBeUndefined()
      await queue.runs.deregister('first')
      expect(await claim('second')).toMatchObject({ apiKey: key.apiKey })
    })

    it('are not kept from others by the word of a worker whose clock was wrong', async () => {
      await take(key, track())
      await claim('first')
      await sql(`UPDATE workers SET alive_until = ${Date.now() + DAY} WHERE id = 'first'`)
      expect(await claim('second')).toBeDefined()
    })

    it('are given to the longest due first, slow ones apart, and not to those who work on them', async () => {
      const keys = ['a', 'b', 'c'].map((apiKey) => ({ apiKey }))
      await prove(queue, ...keys.map(({ apiKey }) => apiKey))
      for (const each of keys) {
        await take(each, track())
        now += 1000
      }
      const [a] = await queue.runs.claim('worker', { pool: 'normal', limit: 1 })
      const [b] = await queue.runs.claim('worker', { pool: 'normal', limit: 1 })
      expect([a.apiKey, b.apiKey]).toEqual(['a', 'b'])
      await queue.runs.release(a, { ...STATE, slow: true })
      await queue.runs.release(b, STATE)

      const fast = await queue.runs.claim('worker', { pool: 'normal', limit: 10 })
      expect(fast.map(({ apiKey }) => apiKey)).toEqual(['c', 'b'])
      expect(await queue.runs.claim('worker', { pool: 'slow', limit: 10 })).toMatchObject([{ apiKey: 'a' }])
    })

    it('rest until their pause is over, whatever arrives', async () => {
      await take(key, track())
      await queue.runs.release(await claim(), { ...STATE, pausedUntil: now + 30_000, failures: 3, tried: true })
      await take(key, track())
      expect(await claim()).toBeUndefined()
      now += 30_000
      expect(await claim()).toMatchObject({ failures: 3 })
    })

    it('are never left alone for longer than an hour, and not kept waiting by a clock that was set back', async () => {
      await take(key, track())
      await queue.runs.release(await claim(), { ...STATE, pausedUntil: now + DAY })
      now += HOUR
      const partition = await claim()
      await queue.runs.release(partition, { ...STATE, pausedUntil: now + HOUR })
      now -= 10 * DAY
      await take(key, track())
      expect(await claim()).toBeDefined()
    })

    it('are all due after a reschedule', async () => {
      await take(key, track())
      await queue.runs.release(await claim(), { ...STATE, pausedUntil: now + HOUR })
      now -= HOUR / 2
      expect(await claim()).toBeUndefined()
      await queue.runs.reschedule()
      expect(await claim()).toBeDefined()
    })

    it('are due again when something has arrived between the last look and the release', async () => {
      await take(key, track())
      const partition = await claim()
      const [{ id }] = await queued(partition)
      await queue.runs.ack(partition, { delivered: [id] })
      expect(await queued(partition)).toEqual([])
      await take(key, track())
      await queue.runs.release(partition, STATE)
      expect(await claim()).toBeDefined()
    })

    it('with nothing to do are not due', async () => {
      await take(key, track())
      const partition = await claim()
      await queue.runs.ack(partition, { delivered: (await queued(partition)).map(({ id }) => id) })
      await queue.runs.release(partition, STATE)
      now += DAY
      expect(await claim()).toBeUndefined()
    })

    it('tell this process of arrivals', async () => {
      let arrivals = 0
      const end = queue.runs.onEnqueue(() => arrivals++)
      await take(key, track())
      end()
      await take(key, track())
      expect(arrivals).toBe(1)
    })

    it('whose stored key is damaged are still claimed, without a key', async () => {
      await take(key, track())
      await sql(`UPDATE partitions SET encrypted_key = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'`)
      expect(await claim()).toMatchObject({ apiKey: undefined })
    })

    describe('with a refused key', () => {
      const suspended = { status: 401 as const, reason: 'EmailSendX refused the API key.' }

      async function suspend(state: object = {}) {
        await queue.runs.release(await claim(), { ...STATE, suspended, pausedUntil: now + HOUR, tried: true, ...state })
      }

      it('are listed with the reason, and take more: the key has worked', async () => {
        await take(key, track())
        await suspend()
        expect(await queue.partitions.list({ suspended: true })).toEqual([
          {
            partition: expect.stringMatching(/^[0-9a-f]{12}$/),
            keyPrefix: key.apiKey.slice(0, 13),
            events: 1,
            deferred: 0,
            deferredFor: {},
            bytes: expect.any(Number),
            delivered: expect.any(Number),
            deadLetters: 0,
            oldestArrivedAt: START,
            nextCallAt: START + HOUR,
            proven: true,
            paused: false,
            suspended: { since: START, reason: suspended.reason, nextTryAt: START + HOUR }
          }
        ])
        expect(await queue.stats()).toMatchObject({ partitions: 2, suspendedPartitions: 1, unprovenPartitions: 0 })
        expect(await take(key, track())).toMatchObject({ accepted: 1 })
      })

      it('are tried again a minute later when a request comes in for them', async () => {
        await take(key, track())
        await suspend()
        now += 59_000
        await take(key, track())
        expect(await claim()).toBeUndefined()
        now += 1_000
        await take(key, track())
        expect(await claim()).toBeDefined()
      })

      it('are tried again at once by retry, unless somebody has paused them', async () => {
        await take(key, track())
        await suspend()
        await queue.partitions.pause({ apiKey: key.apiKey })
        expect(await queue.partitions.retry({})).toBe(0)
        await queue.partitions.resume({})
        expect(await queue.partitions.retry({ apiKey: key.apiKey })).toBe(1)
        expect(await claim()).toBeDefined()
      })

      it('are tried again at once when an operator says so', async () => {
        await take(key, track())
        await suspend()
        expect(await queue.partitions.resume({ apiKey: other.apiKey })).toBe(0)
        expect(await claim()).toBeUndefined()
        expect(await queue.partitions.resume({ apiKey: key.apiKey })).toBe(1)
        expect(await claim()).toBeDefined()
      })

      it('are no longer suspended once the key works', async () => {
        await take(key, track())
        await suspend()
        now += HOUR
        await queue.runs.release(await claim(), { ...STATE, succeeded: true, tried: true })
        expect(await queue.partitions.list({ suspended: true })).toEqual([])
      })

      it('give up their events as dead letters when they stay refused for too long', async () => {
        await take(key, track(), track())
        await suspend()
        await queue.prune()
        now += DAY
        await queue.prune()
        expect((await queue.stats()).events).toBe(2)
        for (let day = 0; day < 7; day++) {
          now += DAY
          await queue.prune()
        }
        expect(await queue.stats()).toMatchObject({ events: 0, deadLetters: 2 })
        expect(await queue.deadLetters.list({ reason: 'key_refused' })).toMatchObject([
          { detail: suspended.reason },
          { detail: suspended.reason }
        ])
      })
    })

    describe('of an unknown key', () => {
      const stranger = { apiKey: 'esx_test_invented' }
      const items = (count: number) =>
        Array.from({ length: count }, (_, n) => ({ messageId: `r${n}`, reason: 'no', item: n }))

      async function refuse() {
        await queue.runs.release(await claim(), {
          ...STATE,
          suspended: { status: 401, reason: 'EmailSendX refused the API key.' },
          tried: true
        })
      }

      it('are worked on apart, and are due even with nothing to deliver, so that the key is tried', async () => {
        await queue.enqueue(stranger, { events: [], rejected: items(1) })
        expect(await queue.runs.claim('worker', { pool: 'normal', limit: 1 })).toEqual([])
        const [partition] = await queue.runs.claim('worker', { pool: 'unproven', limit: 1 })
        await queue.runs.release(partition, { ...STATE, succeeded: true })
        await take(stranger, track())
        expect(await queue.runs.claim('worker', { pool: 'normal', limit: 1 })).toMatchObject([stranger])
      })

      it('take little, dead letters included, until the key is accepted', async () => {
        const tooMany = { name: 'QueueFull', scope: 'partition', limit: 'unproven', retryAfter: 2 }
        await queue.enqueue(stranger, { events: Array.from({ length: 500 }, () => track()), rejected: items(500) })
        await expect(take(stranger, track())).rejects.toMatchObject(tooMany)
        const another = { apiKey: 'esx_test_another' }
        await expect(take(another, ...Array.from({ length: 1001 }, () => track()))).rejects.toMatchObject(tooMany)
        await expect(take(another, track({}, 'x', { pad: 'x'.repeat(2_200_000) }))).rejects.toMatchObject(tooMany)

        await queue.runs.claim('worker', { pool: 'unproven', limit: 1 })
        await queue.runs.release(await claim(), { ...STATE, succeeded: true })
        expect(await take(another, ...Array.from({ length: 1001 }, () => track()))).toMatchObject({ accepted: 1001 })
      })

      it('have a small share of the store together, and none of the rest', async () => {
        queue = await open({ maxBytes: 500_000 })
        const tooMany = { name: 'QueueFull', limit: 'unproven' }
        await take(stranger, track({}, 'x', { pad: 'x'.repeat(8_000) }))
        await expect(take({ apiKey: 'b' }, track({}, 'x', { pad: 'x'.repeat(2_000) }))).rejects.toMatchObject(tooMany)
        expect(await take(key, track({}, 'x', { pad: 'x'.repeat(400_000) }))).toMatchObject({ accepted: 1 })
      })

      it('are not more than 200 at a time', async () => {
        for (let group = 0; group < 4; group++) {
          await Promise.all(Array.from({ length: 50 }, (_, n) => take({ apiKey: `key ${group} ${n}` }, track())))
        }
        await expect(take(stranger, track())).rejects.toMatchObject({ limit: 'unproven' })
        expect(await take(key, track())).toMatchObject({ accepted: 1 })
        await refuse()
        await refuse()
      })

      it('lose everything when it is refused, answer 401 for twenty seconds, and are gone then', async () => {
        await queue.enqueue(stranger, { events: [track(), track()], rejected: items(3) })
        const before = await queue.stats()
        expect(before).toMatchObject({ events: 2, deadLetters: 3, unprovenPartitions: 1 })
        const partition = await claim()
        await queue.runs.ack(partition, { links: [{ key: 'k', email: 'ann@example.com' }] })
        expect(
          await queue.runs.release(partition, { ...STATE, suspended: { status: 401, reason: 'No such key.' } })
        ).toEqual({ erased: 5 })
        expect(await queue.stats()).toMatchObject({
          events: 0,
          deadLetters: 0,
          bytes: 0,
          messageIds: 0,
          identityLinks: 0,
          suspendedPartitions: 0
        })
        await expect(take(stranger, track())).rejects.toThrow(new PartitionRefused('No such key.'))
        await expect(queue.isProven(stranger)).rejects.toThrow(new PartitionRefused('No such key.'))
        now += DAY
        expect(await claim()).toBeUndefined()
        expect(await queue.forgetRefused()).toBe(1)
        expect(await queue.stats()).toMatchObject({ partitions: 2 })
        expect(await take(stranger, track())).toMatchObject({ accepted: 1 })
      })

      it('keep everything while nobody can tell whether it is good', async () => {
        await take(stranger, track())
        await queue.runs.release(await claim(), { ...STATE, pausedUntil: now + 1000, failures: 1, tried: true })
        expect(await queue.stats()).toMatchObject({ events: 1 })
        now += 1000
        expect(await claim()).toMatchObject({ ...stranger, failures: 1 })
      })
    })

    describe('that are worked on at the same time', () => {
      const keys = ['a', 'b', 'c', 'd'].map((apiKey) => ({ apiKey }))
      let claimed: ClaimedPartition[]

      beforeEach(async () => {
        await prove(queue, ...keys.map(({ apiKey }) => apiKey))
        for (const [n, each] of keys.entries()) await take(each, ...Array.from({ length: n + 1 }, () => track()))
        await queue.runs.heartbeat('worker', 10_000)
        claimed = await queue.runs.claim('worker', { pool: 'normal', limit: 10 })
        claimed.sort((one, two) => (one.apiKey ?? '').localeCompare(two.apiKey ?? ''))
        expect(claimed.map(({ apiKey }) => apiKey)).toEqual(['a', 'b', 'c', 'd'])
      })

      it('get each its own answers', async () => {
        const pages = await Promise.all(claimed.map((lease) => queue.runs.head(lease, { rows: 2, bytes: 1e6 })))
        expect(pages.map(({ events, complete }) => [events.length, complete])).toEqual([
          [1, true],
          [2, true],
          [2, false],
          [2, false]
        ])
        const fires = claimed.map((lease, n) => queue.runs.markFiring(lease, pages[n].events[0].id))
        await Promise.all(fires)
        const acks = claimed.map((lease, n) => {
          const [first, second] = pages[n].events
          const email = `${lease.apiKey}@example.com`
          const links = [{ key: userKey('u1'), email }]
          const contacts = [{ key: emailKey(email), contactId: `contact of ${email}` }]
          const dead = second && [{ ids: [second.id], reason: 'refused' as const, detail: `of ${lease.apiKey}` }]
          return queue.runs.ack(lease, { delivered: [first.id], dead, links, contacts, fired: [{ name: 'x' }] })
        })
        expect(await Promise.all(acks)).toEqual(keys.map(() => ({ requeued: 0 })))
        const known = await Promise.all(claimed.map((lease) => queue.runs.lookUp(lease, [userKey('u1')])))
        expect(known.map(({ emails }) => emails.get(userKey('u1')))).toEqual(
          keys.map(({ apiKey }) => `${apiKey}@example.com`)
        )
        await Promise.all(claimed.map((lease) => queue.runs.release(lease, { ...STATE, slow: lease.apiKey === 'd' })))

        const listed = await Promise.all(keys.map((each) => queue.partitions.list(each)))
        expect(listed.map(([{ events, delivered, deadLetters }]) => [events, delivered, deadLetters])).toEqual([
          [0, 1, 0],
          [0, 1, 1],
          [1, 1, 1],
          [2, 1, 1]
        ])
        expect((await queue.deadLetters.list(keys[2])).map(({ detail }) => detail)).toEqual(['of c'])
        expect((await queue.runs.claim('worker', { pool: 'slow', limit: 10 })).map(({ apiKey }) => apiKey)).toEqual([
          'd'
        ])
        expect((await queue.runs.claim('worker', { pool: 'normal', limit: 10 })).map(({ apiKey }) => apiKey)).toEqual([
          'c'
        ])
      })

      it('do no harm to each other when one is taken over, or is refused by the store', async () => {
        const pages = await Promise.all(claimed.map((lease) => queue.runs.head(lease, ALL)))
        const stale = { ...claimed[0], token: claimed[0].token - 1 }
        const isNoTime = [{ key: userKey('u1'), email: 'b@example.com', seenAt: NaN }]
        const answers = await Promise.allSettled([
          queue.runs.ack(stale, { delivered: [pages[0].events[0].id] }),
          queue.runs.ack(claimed[1], { delivered: [pages[1].events[0].id], links: isNoTime }),
          queue.runs.ack(claimed[2], { delivered: [pages[2].events[0].id] }),
          queue.runs.ack(claimed[3], { delivered: [pages[3].events[0].id] })
        ])
        expect(answers).toMatchObject([
          { reason: expect.any(LeaseLost) },
          { reason: expect.any(QueueUnavailable) },
          { value: { requeued: 0 } },
          { value: { requeued: 0 } }
        ])
        const left = await Promise.all(claimed.map((lease) => queued(lease)))
        expect(left.map((events) => events.length)).toEqual([1, 2, 2, 3])
      })
    })

    it('that are paused wait until they are resumed, whatever arrives', async () => {
      await take(key, track())
      expect(await queue.partitions.pause({ apiKey: key.apiKey })).toBe(1)
      await take(key, track())
      queue = await open()
      expect(await claim()).toBeUndefined()
      expect((await queue.partitions.list({ apiKey: key.apiKey }))[0]).toMatchObject({ paused: true, events: 2 })
      expect(await queue.partitions.resume({})).toBe(1)
      expect(await queued(await claim())).toHaveLength(2)
    })

    it('that are paused while they are worked on are not due afterwards', async () => {
      await take(key, track())
      const partition = await claim()
      await queue.partitions.pause({})
      await queue.runs.release(partition, STATE)
      expect(await claim()).toBeUndefined()
    })

    it('can be emptied', async () => {
      await take(key, track(), track())
      await take(other, track())
      expect(await queue.partitions.drop({ apiKey: key.apiKey })).toBe(2)
      expect(await queue.stats()).toMatchObject({ events: 1 })
      expect(await take(key, track())).toMatchObject({ accepted: 1 })
    })
  })

  describe('the queue of a partition', () => {
    let partition: ClaimedPartition
    let ids: number[]

    beforeEach(async () => {
      await take(key, ...Array.from({ length: 6 }, () => track({}, 'x', { pad: 'x'.repeat(300) })))
      partition = await claim()
      ids = (await queued(partition)).map(({ id }) => id)
    })

    it('is read in pages by rows and by bytes', async () => {
      expect(await queue.runs.head(partition, { rows: 4, bytes: 1e6 })).toMatchObject({ complete: false })
      expect((await queue.runs.head(partition, { rows: 4, bytes: 1e6 })).events).toHaveLength(4)
      expect((await queue.runs.head(partition, { rows: 6, bytes: 1e6 })).complete).toBe(true)
      expect((await queue.runs.head(partition, { rows: 6, bytes: 1600 })).events).toHaveLength(2)
      expect((await queue.runs.head(partition, { rows: 6, bytes: 1 })).events).toHaveLength(1)
    })

    it('loses what is delivered, and makes dead letters of what failed for good', async () => {
      await queue.runs.ack(partition, { failed: [ids[1], ids[2]] })
      now += 5000
      await queue.runs.ack(partition, {
        failed: [ids[1]],
        delivered: [ids[0], ids[2]],
        dead: [{ ids: [ids[1]], reason: 'refused', detail: 'EmailSendX refused the request: \0no' }]
      })
      expect((await queued(partition)).map(({ id }) => id)).toEqual(ids.slice(3))
      expect(await queue.deadLetters.list({})).toMatchObject([
        {
          reason: 'refused',
          detail: 'EmailSendX refused the request: no',
          attempts: 2,
          firstFailedAt: START,
          diedAt: START + 5000
        }
      ])
      expect(await queue.stats()).toMatchObject({ events: 3, deadLetters: 1 })
    })

    it('notes attempts and what is being fired', async () => {
      await queue.runs.markFiring(partition, ids[0])
      expect((await queued(partition))[0]).toMatchObject({ firing: true, attempts: 0 })
      await queue.runs.ack(partition, { failed: [ids[0]] })
      expect((await queued(partition))[0]).toMatchObject({ firing: false, attempts: 1, firstFailedAt: START })
    })

    it('leaves out what is deferred, until its time or until it is requeued', async () => {
      const defer = (index: number, keys: string[], until = now + HOUR): Deferral => {
        return { id: ids[index], for: index === 4 ? 'email' : 'turn', until, keys, blocks: 'track' }
      }
      await queue.runs.ack(partition, {
        deferred: [defer(0, ['a']), defer(1, ['a', 'b']), defer(2, ['b']), defer(3, ['c'], now + 1000), defer(4, ['d'])]
      })
      expect((await queued(partition)).map(({ id }) => id)).toEqual([ids[5]])
      expect(await queue.stats()).toMatchObject({ events: 6, deferred: 5 })

      now += 1000
      expect((await queued(partition)).map(({ id }) => id)).toEqual([ids[3], ids[5]])
      expect(await queue.runs.ack(partition, { requeueFirst: ['a', 'd', 'x'] })).toEqual({ requeued: 1 })
      expect((await queued(partition)).map(({ id }) => id)).toEqual([ids[0], ids[3], ids[5]])
      expect(await queue.runs.ack(partition, { requeue: ['b'] })).toEqual({ requeued: 2 })
      expect((await queued(partition)).map(({ id }) => id)).toEqual([ids[0], ids[1], ids[2], ids[3], ids[5]])
    })

    it('knows what is deferred for a user, and requeues just the identifies', async () => {
      await take(key, identify(), identify(), identify())
      ids = (await queued(partition)).map(({ id }) => id)
      const defer = (index: number, blocks: Deferral['blocks'], why: Deferral['for'] = 'email'): Deferral => {
        return { id: ids[index], for: why, until: now + HOUR, keys: ['a'], blocks }
      }
      await queue.runs.ack(partition, {
        deferred: [
          defer(1, 'track'),
          defer(6, 'identify'),
          defer(3, 'track'),
          defer(7, 'all', 'turn'),
          defer(8, 'all', 'retry')
        ]
      })
      const { blocked } = await queue.runs.lookUp(partition, ['a', 'b'])
      expect(blocked.sort((one, two) => one.first - two.first)).toEqual([
        { key: 'a', blocks: 'track', first: ids[1] },
        { key: 'a', blocks: 'identify', first: ids[6] },
        { key: 'a', blocks: 'all', first: ids[7] }
      ])
      expect(await queue.runs.ack(partition, { requeueIdentifies: ['a'] })).toEqual({ requeued: 2 })
      expect((await queue.runs.lookUp(partition, ['a'])).blocked.map(({ first }) => first).sort()).toEqual([
        ids[1],
        ids[8]
      ])
    })

    it('is looked at when the first of the deferred is ripe', async () => {
      await queue.runs.ack(partition, {
        delivered: ids.slice(1),
        deferred: [{ id: ids[0], for: 'contact', until: now + HOUR / 2, keys: ['a'], blocks: 'track' }]
      })
      await queue.runs.release(partition, STATE)
      now += HOUR / 2 - 1
      expect(await claim()).toBeUndefined()
      now += 1
      expect(await queued(await claim())).toMatchObject([{ id: ids[0] }])
    })

    it('remembers emails of users, the latest ones, each partition its own', async () => {
      await queue.runs.ack(partition, { links: [{ key: userKey('u1'), email: 'old@example.com' }] })
      await queue.runs.ack(partition, {
        links: [
          { key: userKey('u1'), email: 'between@example.com' },
          { key: userKey('u1'), email: 'ann@example.com' },
          { key: emailKey('u2'), email: 'bob@example.com' }
        ]
      })
      const known = await queue.runs.lookUp(partition, [userKey('u1'), userKey('u2')])
      expect([...known.emails]).toEqual([[userKey('u1'), 'ann@example.com']])

      await take(other, track())
      expect((await queue.runs.lookUp(await claim(), [userKey('u1')])).emails.size).toBe(0)
    })

    it('remembers the contacts of addresses, until they are gone', async () => {
      const [ann, bob] = ['ann@example.com', 'bob@example.com'].map(emailKey)
      await queue.runs.ack(partition, {
        contacts: [
          { key: ann, contactId: 'old' },
          { key: ann, contactId: 'clx1' },
          { key: bob, contactId: 'clx2' }
        ]
      })
      expect([...(await queue.runs.lookUp(partition, [ann, bob])).contactIds]).toEqual(
        expect.arrayContaining([
          [ann, 'clx1'],
          [bob, 'clx2']
        ])
      )
      await queue.runs.ack(partition, { contacts: [{ key: ann }] })
      expect([...(await queue.runs.lookUp(partition, [ann, bob])).contactIds]).toEqual([[bob, 'clx2']])
      await queue.partitions.learnContacts({ partition: partition.partition }, [
        { email: 'ann@example.com', id: 'clx3' }
      ])
      expect((await queue.runs.lookUp(partition, [ann])).contactIds.get(ann)).toBe('clx3')
    })

    it('counts calls and automations by the names of events', async () => {
      await queue.runs.ack(partition, {
        fired: [
          { name: 'bought', matches: 2 },
          { name: 'viewed', matches: 0 },
          { name: 'bought', matches: 1 }
        ]
      })
      now += 1000
      await queue.runs.ack(partition, { fired: [{ name: 'viewed', skipped: true }, { name: 'left' }] })
      expect(await queue.partitions.report({ apiKey: key.apiKey })).toMatchObject([
        { name: 'bought', calls: 2, matched: 3, skipped: 0 },
        { name: 'viewed', calls: 1, matched: 0, skipped: 1 },
        { name: 'left', calls: 1, matched: 0, skipped: 0 }
      ])
      expect([...(await queue.runs.lookUpNames(partition, ['bought', 'left', 'never']))].sort()).toEqual([
        ['bought', { askedAt: START, matches: 1 }],
        ['left', { askedAt: 0, matches: 0 }]
      ])
    })

    it('counts no more than a thousand names one by one', async () => {
      const names = Array.from({ length: 1_100 }, (_, n) => ({ name: `event ${n}`, matches: 1 }))
      for (let start = 0; start < names.length; start += 500) {
        await queue.runs.ack(partition, { fired: names.slice(start, start + 500) })
      }
      const report = await queue.partitions.report()
      expect(report).toHaveLength(1_001)
      expect(report[0]).toMatchObject({ name: '(other names)', calls: 100, matched: 100 })
    })

    it('answers about thousands of users at once', async () => {
      const keys = Array.from({ length: 25_000 }, (_, index) => userKey(String(index)))
      await queue.runs.ack(partition, { links: keys.slice(0, 3000).map((key) => ({ key, email: 'x@example.com' })) })
      expect((await queue.runs.lookUp(partition, keys)).emails.size).toBe(3000)
    })

    it('takes an ack twice, since nobody may know whether the first one arrived', async () => {
      const ack: Ack = {
        failed: [ids[1]],
        delivered: [ids[0]],
        dead: [{ ids: [ids[1]], reason: 'refused', detail: 'No.' }],
        deferred: [{ id: ids[2], for: 'email', until: now + HOUR, keys: ['a', 'b'], blocks: 'track' }],
        links: [{ key: 'k', email: 'ann@example.com' }]
      }
      await queue.runs.ack(partition, ack)
      const before = await queue.stats()
      await queue.runs.ack(partition, ack)
      expect(await queue.stats()).toEqual(before)
      expect(before).toMatchObject({ events: 4, deferred: 1, deadLetters: 1 })
      expect((await queue.runs.lookUp(partition, ['a', 'b'])).blocked).toHaveLength(2)
    })

    it('does all of an ack or nothing', async () => {
      await queue.runs.deregister('worker')
      const next = await claim('next')
      await expect(
        queue.runs.ack(partition, { delivered: ids, links: [{ key: 'k', email: 'x@example.com' }] })
      ).rejects.toThrow(LeaseLost)
      expect(await queued(next)).toHaveLength(6)
      expect((await queue.runs.lookUp(next, ['k'])).emails.size).toBe(0)
    })
  })

  describe('dead letters', () => {
    beforeEach(async () => {
      await take(key, track({ messageId: 't1' }), identify({ messageId: 'i1' }))
      await take(other, track({ messageId: 't2' }))
      for (const reason of ['refused', 'unknown_email'] as const) {
        const partition = await claim()
        const events = await queued(partition)
        await queue.runs.ack(partition, { dead: [{ ids: events.map(({ id }) => id), reason, detail: 'No.' }] })
        await queue.runs.release(partition, STATE)
        now += HOUR
      }
      await queue.enqueue(other, { events: [], rejected: [{ messageId: 'r1', reason: 'Not an event.', item: null }] })
    })

    const messages = async (filter: object, page = {}) =>
      (await queue.deadLetters.list(filter, page)).map(({ messageId }) => messageId)

    it('are listed, the newest first, in pages and by every filter', async () => {
      const all = await queue.deadLetters.list({})
      expect(all.map(({ messageId }) => messageId)).toEqual(['r1', 't2', 'i1', 't1'])
      expect(await messages({}, { limit: 2 })).toEqual(['r1', 't2'])
      expect(await messages({}, { limit: 2, before: all[1].id })).toEqual(['i1', 't1'])
      expect(await messages({ apiKey: key.apiKey })).toEqual(['i1', 't1'])
      expect(await messages({ partition: all[0].partition })).toEqual(['r1', 't2'])
      expect(await messages({ reason: 'refused' })).toEqual(['i1', 't1'])
      expect(await messages({ type: 'identify' })).toEqual(['i1'])
      expect(await messages({ messageId: 't2' })).toEqual(['t2'])
      expect(await messages({ since: START + HOUR })).toEqual(['r1', 't2'])
      expect(await messages({ until: START + HOUR })).toEqual(['i1', 't1'])
      expect(await messages({ ids: [all[0].id, all[3].id] })).toEqual(['r1', 't1'])
      expect(await messages({ ids: [] })).toEqual([])
      expect(await queue.deadLetters.count({ type: 'track' })).toBe(2)
      expect(await queue.deadLetters.show(999_999)).toBeUndefined()
    })

    it('go through the partition again when retried, as if they had just arrived', async () => {
      expect(await queue.deadLetters.retry({ apiKey: other.apiKey })).toEqual({ retried: 1, kept: 1 })
      expect(await queue.stats()).toMatchObject({ events: 1, deadLetters: 3 })
      const partition = await claim()
      expect(partition.apiKey).toBe(other.apiKey)
      expect(await queued(partition)).toMatchObject([{ event: { messageId: 't2' }, arrivedAt: now, attempts: 0 }])
      expect(await queue.deadLetters.retry({ reason: 'unknown_email' })).toEqual({ retried: 0, kept: 0 })
    })

    it('are retried by the thousand, in their order', async () => {
      await take(key, ...Array.from({ length: 2500 }, () => track()))
      const partition = await claim()
      for (let page = await queued(partition); page.length > 0; page = await queued(partition)) {
        await queue.runs.ack(partition, { dead: [{ ids: page.map(({ id }) => id), reason: 'gave_up', detail: '' }] })
      }
      const order = (await queue.deadLetters.list({ reason: 'gave_up' }, { limit: 2500 })).map(
        (letter) => letter.messageId
      )
      expect(await queue.deadLetters.retry({ reason: 'gave_up' })).toEqual({ retried: 2500, kept: 0 })
      expect((await queued(partition)).map(({ event }) => event.messageId)).toEqual(order.reverse().slice(0, 1000))
    })

    it('hold what a person has put in their place', async () => {
      const [rejected] = await queue.deadLetters.list({ type: 'rejected' })
      const better = track({ userId: 'better' })
      const { bytes } = await queue.stats()
      expect(await queue.deadLetters.replace(rejected.id, better)).toBe(true)
      expect(await queue.deadLetters.show(rejected.id)).toMatchObject({
        type: 'track',
        content: { event: { userId: 'better' } }
      })
      expect((await queue.stats()).bytes).toBeGreaterThan(bytes)
      expect(await queue.deadLetters.retry({ ids: [rejected.id] })).toEqual({ retried: 1, kept: 0 })
      const waiting = await queue.partitions.events({})
      expect(waiting).toMatchObject([{ event: { messageId: better.messageId }, attempts: 0, arrivedAt: now }])
      expect(await queue.partitions.events({}, { after: waiting[0].id })).toEqual([])
      expect(await queue.deadLetters.replace(999_999, better)).toBe(false)
      await queue.partitions.drop({})
      await queue.deadLetters.purge({})
      expect((await queue.stats()).bytes).toBe(0)
    })

    it('are gone when purged', async () => {
      expect(await queue.deadLetters.purge({ reason: 'refused' })).toBe(2)
      expect(await messages({})).toEqual(['r1', 't2'])
      expect(await queue.deadLetters.purge({})).toBe(2)
      expect(await queue.stats()).toMatchObject({ deadLetters: 0, bytes: 0 })
    })
  })

  describe('retention', () => {
    async function pass(days: number) {
      for (let day = 0; day < days; day++) {
        now += DAY
        await queue.prune()
      }
    }

    it('forgets message ids within 15 days of when they are no longer needed, and dead letters after 90', async () => {
      const one = track()
      await queue.enqueue(key, { events: [one], rejected: [{ messageId: 'r', reason: 'no', item: null }] })
      await queue.prune()
      const partition = await claim()
      await queue.runs.ack(partition, { delivered: (await queued(partition)).map(({ id }) => id) })
      await queue.runs.release(partition, { ...STATE, succeeded: true })

      await pass(30)
      expect(await take(key, one)).toEqual({ accepted: 0, duplicates: 1 })
      await pass(15)
      expect(await take(key, one)).toEqual({ accepted: 1, duplicates: 0 })
      expect((await queue.stats()).deadLetters).toBe(1)
      await pass(46)
      expect((await queue.stats()).deadLetters).toBe(0)
    })

    it('knows every message id of the last 30 days, and none older than 46, at any time', async () => {
      queue = await open({ maxAgeMs: 1000 * DAY })
      await queue.prune()
      const noted: [string, number][] = []
      const isDuplicate = async (messageId: string) => (await take(key, track({ messageId }))).duplicates === 1
      for (let day = 0; day < 100; day += 3) {
        await take(key, track({ messageId: `day ${day}` }))
        noted.push([`day ${day}`, now])
        await pass(3)
        const young = noted.filter(([, at]) => now - at <= 30 * DAY)
        expect(await Promise.all(young.map(([id]) => isDuplicate(id)))).not.toContain(false)
        expect((await queue.stats()).messageIds).toBeLessThanOrEqual(16)
      }
      const old = noted.filter(([, at]) => now - at > 46 * DAY)
      expect(await Promise.all(old.map(([id]) => isDuplicate(id)))).not.toContain(true)
    })

    it('tells duplicates while message ids are being forgotten, by several at once', async () => {
      queue = await open({ maxRemembered: 400 })
      const second = await open({ maxRemembered: 400 })
      const all = [queue, second]
      const taken = { accepted: 0, duplicates: 0 }
      for (let round = 0; round < 20; round++) {
        const events = Array.from({ length: 10 }, () => track())
        const [one, two] = await Promise.all([
          ...all.map((each) => each.enqueue(key, { events, rejected: [] })),
          ...all.map((each) => each.prune())
        ])
        for (const result of [one, two] as (typeof taken)[]) {
          taken.accepted += result.accepted
          taken.duplicates += result.duplicates
        }
      }
      expect(taken).toEqual({ accepted: 200, duplicates: 200 })
    })

    it('forgets partitions whose key never worked and of which nothing is left', async () => {
      await queue.enqueue({ apiKey: 'x' }, { events: [], rejected: [{ messageId: 'r', reason: 'no', item: null }] })
      await queue.deadLetters.purge({})
      await queue.prune()
      await pass(32)
      expect((await queue.stats()).partitions).toBe(2)
    })

    it('forgets the oldest of what it remembers when that is too much', async () => {
      queue = await open({ maxRemembered: 3 })
      const events = Array.from({ length: 5 }, () => track())
      let messageIds = 0
      for (const event of events) {
        await take(key, event)
        now += 1
        messageIds += (await queue.prune()).messageIds
      }
      expect(messageIds).toBe(3)
      const partition = await claim()
      for (const id of ['a', 'b', 'c', 'd']) {
        await queue.runs.ack(partition, { links: [{ key: userKey(id), email: `${id}@example.com` }] })
        now += 1
      }
      expect(await queue.prune()).toMatchObject({ messageIds: 0, identities: 1 })
      expect(await queue.stats()).toMatchObject({ messageIds: 2, identityLinks: 3 })
      expect([...(await queue.runs.lookUp(partition, ['a', 'b'].map(userKey))).emails.values()]).toEqual([
        'b@example.com'
      ])
      await queue.runs.release(partition, STATE)
      expect(await take(key, ...events)).toEqual({ accepted: 3, duplicates: 2 })
    })

    it('forgets users of whom nothing has come for too long', async () => {
      queue = await open({ forgetAfterMs: 2 * DAY })
      await take(key, track())
      const partition = await claim()
      await queue.runs.ack(partition, {
        links: [{ key: userKey('ann'), email: 'ann@example.com' }],
        contacts: [{ key: emailKey('ann@example.com'), contactId: 'clx1' }]
      })
      await queue.prune()
      await pass(2)
      const keys = [userKey('ann'), emailKey('ann@example.com')]
      expect((await queue.runs.lookUp(partition, keys)).contactIds.size).toBe(1)
      await pass(1)
      const { emails, contactIds } = await queue.runs.lookUp(partition, keys)
      expect([...emails, ...contactIds]).toEqual([])
    })

    it('deletes nothing on the word of a clock that has leapt, until that is confirmed', async () => {
      await queue.enqueue(key, { events: [], rejected: [{ messageId: 'r', reason: 'no', item: null }] })
      await queue.prune()
      now += 365 * DAY
      expect(await queue.prune()).toMatchObject({ deadLetters: 0 })
      now -= 365 * DAY
      expect(await queue.prune()).toMatchObject({ deadLetters: 0 })
      expect((await queue.stats()).deadLetters).toBe(1)
      now += 365 * DAY
      await queue.prune()
      now += HOUR
      expect(await queue.prune()).toMatchObject({ deadLetters: 1 })
    })
  })

  describe('forgetting a person', () => {
    const PERSON = ['Ann@Example.com', 'ann@example.com', 'user-4711', 'device-0815']
    const theirs = { userId: 'user-4711', anonymousId: 'device-0815' }

    /** Everything that is written anywhere in the store. */
    async function everything(): Promise<string> {
      if (engine === 'SQLite') {
        return [target, `${target}-wal`].map((file) => (existsSync(file) ? readFileSync(file, 'latin1') : '')).join()
      }
      const client = new Client({ connectionString: target })
      await client.connect()
      const tables = await client.query<{ name: string }>(
        `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()`
      )
      const all: unknown[] = []
      for (const { name } of tables.rows) all.push((await client.query(`SELECT * FROM ${name}`)).rows)
      await client.end()
      return JSON.stringify(all)
    }

    beforeEach(async () => {
      await take(
        key,
        track({ email: 'bob@example.com', userId: 'bob' }),
        identify({ ...theirs, email: 'ann@example.com', messageId: 'ann@example.com-1' }, { email: 'Ann@Example.com' }),
        track({ email: 'ann@example.com' }),
        track({ userId: 'user-4711' }),
        track({ anonymousId: 'device-0815' }),
        track({ userId: 'bob' }, 'invited', { friend: 'the address is Ann@Example.com' })
      )
      const partition = await claim()
      const events = await queued(partition)
      await queue.runs.ack(partition, {
        links: [
          { key: userKey('user-4711'), email: 'ann@example.com' },
          { key: anonymousKey('device-0815'), email: 'ann@example.com' },
          { key: userKey('bob'), email: 'bob@example.com' }
        ],
        contacts: [{ key: emailKey('ann@example.com'), contactId: 'clx-of-ann' }],
        delivered: [events[1].id],
        dead: [{ ids: [events[2].id], reason: 'refused', detail: 'No.' }],
        deferred: [
          { id: events[3].id, for: 'email', until: now + HOUR, keys: [userKey('user-4711')], blocks: 'track' },
          { id: events[0].id, for: 'email', until: now + HOUR, keys: [userKey('bob')], blocks: 'track' }
        ]
      })
      await queue.runs.release(partition, STATE)
      const request = { messageId: 'ann@example.com', reason: 'Delete by hand.', item: { type: 'delete', ...theirs } }
      await queue.enqueue(key, { events: [], rejected: [request] })
    })

    it.each([
      ['address', { email: ' Ann@example.com' }],
      ['user id', { userId: 'user-4711' }]
    ])('by an %s leaves nothing of them, and all of others', async (_, person) => {
      expect(await queue.forget({ ...person, apiKey: other.apiKey })).toEqual({ events: 0, deadLetters: 0, ids: 0 })
      expect(await queue.forget(person)).toEqual({ events: 3, deadLetters: 2, ids: 2 })

      const found = await everything()
      for (const word of [...PERSON, emailKey('ann@example.com'), userKey('user-4711'), anonymousKey('device-0815')]) {
        expect(found).not.toContain(word)
      }
      expect(found).not.toContain('clx-of-ann')
      expect(found).toContain('bob@example.com')
      expect(await queue.stats()).toMatchObject({ events: 1, deferred: 1, deadLetters: 1, identityLinks: 1 })
      expect(await queue.deadLetters.list({})).toMatchObject([{ detail: 'Delete by hand.', messageId: 'forgotten' }])
      expect(await queue.forget(person)).toEqual({ events: 0, deadLetters: 0, ids: 0 })
    })

    it('by a user id that is too long to be kept finds what is kept by its hash', async () => {
      const userId = 'u'.repeat(300)
      const result: Normalized = { events: [], rejected: [], ignored: 0 }
      normalize(
        { type: 'track', event: 'x', userId, messageId: 'long' },
        { options: {}, receivedAt: new Date() },
        result
      )
      await take(key, ...result.events)
      const partition = await claim()
      const [event] = (await queued(partition)).slice(-1)
      const keyOf = userKey(event.event.userId ?? '')
      await queue.runs.ack(partition, { links: [{ key: keyOf, email: 'long@example.com' }] })
      await queue.runs.release(partition, STATE)
      await take(key, track({ email: 'long@example.com' }))

      expect(await queue.forget({ userId })).toEqual({ events: 2, deadLetters: 0, ids: 1 })
      const found = await everything()
      for (const word of [userId, keyOf, event.event.userId, 'long@example.com']) expect(found).not.toContain(word)
    })

    it('is done for a delete event, which leaves nothing of them but that there was one', async () => {
      expect(await queue.forgetDeleted()).toBe(1)
      const found = await everything()
      for (const word of [...PERSON, emailKey('ann@example.com'), userKey('user-4711'), anonymousKey('device-0815')]) {
        expect(found).not.toContain(word)
      }
      expect(found).not.toContain('clx-of-ann')
      expect(found).toContain('bob@example.com')
      expect(await queue.stats()).toMatchObject({ events: 1, deferred: 1, deadLetters: 1, identityLinks: 1 })
      const [letter] = await queue.deadLetters.list({})
      expect(letter).toMatchObject({ detail: 'Delete by hand.', messageId: 'forgotten' })
      expect((await queue.deadLetters.show(letter.id))?.content).toEqual({ type: 'delete', forgotten: true })
      expect(await queue.forgetDeleted()).toBe(0)
    })

    it('by a delete event spares whoever comes with their ids after it', async () => {
      const arrivedAt = now
      now += 1
      const again = identify({ ...theirs, email: 'ann@example.com' })
      await take(key, again, track({ userId: 'user-4711' }))
      const partition = await claim()
      const keys = [userKey('user-4711'), anonymousKey('device-0815'), userKey('bob')]
      expect([...(await queue.runs.lookUp(partition, keys)).emails.keys()]).toEqual([userKey('bob')])
      const id = (await queued(partition)).find(({ event }) => event.messageId === again.messageId)?.id ?? 0
      await queue.runs.ack(partition, {
        delivered: [id],
        links: [
          { key: userKey('user-4711'), email: 'ann@example.com', seenAt: now },
          // Of an event that came before the request, and is delivered after it.
          { key: anonymousKey('device-0815'), email: 'ann@example.com', seenAt: arrivedAt }
        ]
      })

      expect(await queue.forgetDeleted()).toBe(1)
      expect((await queued(partition)).map(({ event }) => event.userId)).toEqual(['user-4711'])
      expect([...(await queue.runs.lookUp(partition, keys)).emails.keys()].sort()).toEqual(
        [userKey('user-4711'), userKey('bob')].sort()
      )
      expect(await queue.forgetDeleted()).toBe(0)
    })

    it.each([
      ['a number for an id', { type: 'Delete', userId: 4711 }],
      ['spaces around an id', { type: 'delete', userId: ' user-4711 ' }],
      ['an address for an id', { type: 'delete', userId: 'Ann@Example.com' }],
      ['a device', { type: 'delete', anonymousId: 'device-0815' }]
    ])('is done once for a delete event with %s', async (_, item) => {
      await queue.forgetDeleted()
      await queue.enqueue(key, { events: [], rejected: [{ messageId: 'one-more', reason: 'Delete by hand.', item }] })
      expect(await queue.forgetDeleted()).toBe(1)
      expect(await queue.forgetDeleted()).toBe(0)
    })
  })

  describe('opening', () => {
    it('is refused with another secret', async () => {
      await expect(open({ secret: 'another secret, also long' })).rejects.toThrow(
        new QueueUnusable(
          'The store was made with another secret, so its API keys cannot be read. Set BRIDGE_SECRET (or the .secret file beside the store) to that one.'
        )
      )
      await expect(open({ secret: 'short' })).rejects.toThrow(/at least 16 characters/)
    })

    it('is refused when the schema is newer than this code knows', async () => {
      await sql(`INSERT INTO schema_versions (version, applied_at) VALUES (1000, 0)`)
      await expect(open()).rejects.toThrow(
        /schema version 1000, this version of the bridge knows up to \d+\. Start a newer/
      )
    })

    it('by several at once makes one store', async () => {
      target = await fresh()
      const all = await Promise.all([open(), open(), open()])
      await Promise.all(
        all.map((each, partition) => each.enqueue({ apiKey: `key ${partition}` }, { events: [track()], rejected: [] }))
      )
      expect((await all[0].stats()).events).toBe(3)
    })
  })

  it('keeps no API key in clear', async () => {
    await take({ apiKey: 'esx_live_verysecretkey' }, track())
    const found: string[] = []
    if (engine === 'SQLite') {
      const database = new Database(target)
      found.push(JSON.stringify(database.prepare('SELECT * FROM partitions').all()))
      database.close()
    } else {
      const client = new Client({ connectionString: target })
      await client.connect()
      found.push(JSON.stringify((await client.query('SELECT * FROM partitions')).rows))
      await client.end()
    }
    expect(found[0]).toContain('encrypted_key')
    expect(found[0]).not.toContain('verysecretkey')
  })

  it('says whether it can take a commit', async () => {
    queue = await open()
    await expect(queue.ping()).resolves.toBeUndefined()
    await queue.close()
    await expect(queue.ping()).rejects.toThrow(QueueUnavailable)
  })
})
