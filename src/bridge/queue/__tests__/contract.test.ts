import { Client } from 'pg'
import Database from 'libsql'
import { emailKey, userKey } from '../keys'
import { LaneRefused, LeaseLost, openSpool, SpoolFull, SpoolUnavailable, SpoolUnusable } from '..'
import type { ClaimedLane, Held, LaneEvent, Settlement, Spool, SpoolOptions } from '..'
import { identify, track } from './support/events'
import { SECRET, stores } from './support/stores'

const HOUR = 60 * 60 * 1000
const DAY = 24 * HOUR
const START = Date.UTC(2026, 10, 23)
const key = { apiKey: 'esx_test_one' }
const other = { apiKey: 'esx_test_two' }
const ALL = { rows: 1000, bytes: 1_000_000 }
const REST = { pausedUntil: 0, failures: 0, slow: false, succeeded: false, tried: false }

describe.each(['SQLite', 'Postgres'] as const)('a spool on %s', (engine) => {
  const { fresh } = stores(engine)
  let spool: Spool
  let target: string
  let now: number
  const more: Spool[] = []

  beforeEach(async () => {
    now = START
    target = await fresh()
    spool = await open()
  })
  afterEach(async () => {
    await Promise.all(more.splice(0).map((each) => each.close()))
  })

  async function open(options: SpoolOptions = {}): Promise<Spool> {
    const opened = await openSpool(target, { secret: SECRET, now: () => now, ...options })
    more.push(opened)
    return opened
  }

  async function take(lane = key, ...events: ReturnType<typeof track>[]) {
    return spool.accept(lane, { events, rejected: [] })
  }

  /** The lane that has been due for longest. */
  async function claim(worker = 'worker', by = spool): Promise<ClaimedLane> {
    await by.work.beat(worker, 10_000)
    const [lane] = await by.work.claim(worker, { limit: 1, slow: false, except: [] })
    return lane
  }

  async function queue(lane: ClaimedLane): Promise<LaneEvent[]> {
    return (await spool.work.head(lane, ALL)).events
  }

  /** The same store, past the spool. */
  async function sql(statement: string): Promise<void> {
    if (engine === 'SQLite') {
      const database = new Database(target)
      database.exec(statement)
      database.close()
    } else {
      const client = new Client({ connectionString: target })
      await client.connect()
      await client.query(statement)
      await client.end()
    }
  }

  describe('intake', () => {
    it('gives back what it took, to the letter, after being closed and opened again', async () => {
      const odd = track({ userId: 'ü\0\ud800"', email: 'ann@example.com' }, 'x', { deep: [{ '': null }], nul: 'a\0b' })
      await take(key, odd, identify())
      await spool.close()
      spool = await open()

      const lane = await claim()
      expect(lane.apiKey).toBe(key.apiKey)
      expect((await queue(lane)).map(({ event }) => event.messageId)).toEqual([odd.messageId, expect.any(String)])
      expect((await queue(lane))[0]).toEqual({
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

      const lane = await claim()
      const events = await queue(lane)
      await spool.work.settle(lane, { delivered: events.map(({ id }) => id) })
      expect(await take(key, one, two)).toEqual({ accepted: 0, duplicates: 2 })
      expect(await take(other, one, two)).toEqual({ accepted: 2, duplicates: 0 })
    })

    it('tells duplicates among requests that come at the same time', async () => {
      const events = Array.from({ length: 20 }, () => track())
      const answers = await Promise.all([take(key, ...events), take(key, ...events), take(key, ...events.reverse())])
      expect(answers.reduce((total, { accepted }) => total + accepted, 0)).toBe(20)
      expect(answers.reduce((total, { duplicates }) => total + duplicates, 0)).toBe(40)
      expect((await spool.stats()).events).toBe(20)
    })

    it('keeps the order of arrival', async () => {
      const events = Array.from({ length: 50 }, () => track())
      for (const event of events) await take(key, event)
      const lane = await claim()
      expect((await queue(lane)).map(({ event }) => event.messageId)).toEqual(events.map(({ messageId }) => messageId))
    })

    it('makes dead letters of rejected items, once', async () => {
      const rejected = [{ messageId: 'm1', reason: 'It has no name\0.', item: { type: 'track' } }]
      await spool.accept(key, { events: [], rejected })
      await spool.accept(key, { events: [track({ messageId: 'm1' })], rejected })

      expect(await spool.stats()).toMatchObject({ events: 1, deadLetters: 1 })
      const [letter] = await spool.deadLetters.list({})
      expect(letter).toMatchObject({ messageId: 'm1', type: 'rejected', reason: 'rejected', detail: 'It has no name.' })
      expect(await spool.deadLetters.show(letter.id)).toMatchObject({ content: { type: 'track' } })
    })

    it('takes many large requests at once', async () => {
      const requests = Array.from({ length: 30 }, (_, lane) =>
        spool.accept(
          { apiKey: `key ${lane % 3}` },
          { events: Array.from({ length: 150 }, () => track({}, 'x', { pad: 'x'.repeat(500) })), rejected: [] }
        )
      )
      await Promise.all(requests)
      expect(await spool.stats()).toMatchObject({ events: 4500, lanes: 3 })
    })

    it('takes one event of 4 MB', async () => {
      const huge = track({}, 'x', { pad: 'x'.repeat(4_000_000) })
      await take(key, track(), huge, track())
      const lane = await claim()
      const page = await spool.work.head(lane, ALL)
      expect(page).toMatchObject({ events: [{}], complete: false })
      await spool.work.settle(lane, { delivered: [page.events[0].id] })
      expect((await queue(lane))[0].event).toEqual(huge)
    })

    it('refuses what goes over the limit of a lane, and nothing else', async () => {
      spool = await open({ maxLaneBytes: 2_000 })
      await take(key, track(), track())
      const refused = take(key, track({}, 'x', { pad: 'x'.repeat(2000) }))
      await expect(refused).rejects.toMatchObject({ name: 'SpoolFull', scope: 'lane', limit: 'bytes' })
      expect(await take(other, track())).toEqual({ accepted: 1, duplicates: 0 })
      expect((await spool.stats()).events).toBe(3)
    })

    it('refuses what goes over the limit of the store, until there is room again', async () => {
      spool = await open({ maxBytes: 10_000 })
      await take(key, track({}, 'x', { pad: 'x'.repeat(8000) }))
      await expect(take(other, track({}, 'x', { pad: 'x'.repeat(2000) }))).rejects.toThrow(SpoolFull)
      await expect(take(other, track({}, 'x', { pad: 'x'.repeat(2000) }))).rejects.toMatchObject({ scope: 'store' })

      const lane = await claim()
      const [{ id }] = await queue(lane)
      await spool.work.settle(lane, { delivered: [id] })
      spool = await open({ maxBytes: 10_000 })
      expect(await take(other, track({}, 'x', { pad: 'x'.repeat(2000) }))).toMatchObject({ accepted: 1 })
    })

    it('refuses more for a lane whose oldest event is stuck for too long', async () => {
      spool = await open({ maxAgeMs: HOUR })
      await take(key, track())
      now += HOUR + 1
      await expect(take(key, track())).rejects.toMatchObject({ name: 'SpoolFull', scope: 'lane', limit: 'age' })
      expect(await take(other, track())).toMatchObject({ accepted: 1 })
    })

    it('rejects everything once it is closed', async () => {
      await spool.close()
      await expect(take(key, track())).rejects.toThrow(SpoolUnavailable)
      await expect(spool.stats()).rejects.toThrow(SpoolUnavailable)
    })
  })

  describe('lanes', () => {
    it('are claimed by one worker only', async () => {
      await Promise.all(Array.from({ length: 20 }, (_, lane) => take({ apiKey: `key ${lane}` }, track())))
      const twin = await open()
      await Promise.all([spool.work.beat('one', 10_000), twin.work.beat('two', 10_000)])
      const claims = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          index % 2
            ? spool.work.claim('one', { limit: 5, slow: false, except: [] })
            : twin.work.claim('two', { limit: 5, slow: false, except: [] })
        )
      )
      const ids = claims.flat().map(({ laneId }) => laneId)
      expect(new Set(ids).size).toBe(ids.length)
      expect(ids.length).toBeGreaterThanOrEqual(5)
    })

    it('of a worker that has gone silent go to another, and nothing the first one says counts any more', async () => {
      await take(key, track())
      await spool.work.beat('first', 50)
      const [stale] = await spool.work.claim('first', { limit: 1, slow: false, except: [] })
      const [{ id }] = await queue(stale)
      await spool.work.fire(stale, id)

      let lane: ClaimedLane | undefined
      while (!lane) lane = await claim('second')
      await expect(spool.work.head(stale, ALL)).rejects.toThrow(LeaseLost)
      await expect(spool.work.fire(stale, id)).rejects.toThrow(LeaseLost)
      await expect(spool.work.settle(stale, { delivered: [id] })).rejects.toThrow(LeaseLost)
      await expect(spool.work.release(stale, REST)).rejects.toThrow(LeaseLost)
      expect(await queue(lane)).toMatchObject([{ id, firing: true }])
    })

    it('of a worker that says goodbye are free at once', async () => {
      await take(key, track())
      await claim('first')
      expect(await claim('second')).toBeUndefined()
      await spool.work.leave('first')
      expect(await claim('second')).toMatchObject({ apiKey: key.apiKey })
    })

    it('are not kept from others by the word of a worker whose clock was wrong', async () => {
      await take(key, track())
      await claim('first')
      await sql(`UPDATE workers SET alive_until = ${Date.now() + DAY} WHERE id = 'first'`)
      expect(await claim('second')).toBeDefined()
    })

    it('are given to the longest due first, slow ones apart, and not to those who work on them', async () => {
      for (const apiKey of ['a', 'b', 'c']) {
        await take({ apiKey }, track())
        now += 1000
      }
      await spool.work.beat('worker', 10_000)
      const query = { limit: 1, slow: false, except: [] }
      const [a] = await spool.work.claim('worker', query)
      const [b] = await spool.work.claim('worker', { ...query, except: [a.laneId] })
      expect([a.apiKey, b.apiKey]).toEqual(['a', 'b'])
      await spool.work.release(a, { ...REST, slow: true })
      await spool.work.release(b, REST)

      const fast = await spool.work.claim('worker', { ...query, limit: 10 })
      expect(fast.map(({ apiKey }) => apiKey)).toEqual(['c', 'b'])
      expect(await spool.work.claim('worker', { ...query, slow: true })).toMatchObject([{ apiKey: 'a' }])
    })

    it('rest until their pause is over, whatever arrives', async () => {
      await take(key, track())
      await spool.work.release(await claim(), { ...REST, pausedUntil: now + 30_000, failures: 3, tried: true })
      await take(key, track())
      expect(await claim()).toBeUndefined()
      now += 30_000
      expect(await claim()).toMatchObject({ failures: 3 })
    })

    it('are never left alone for longer than an hour, and not kept waiting by a clock that was set back', async () => {
      await take(key, track())
      await spool.work.release(await claim(), { ...REST, pausedUntil: now + DAY })
      now += HOUR
      const lane = await claim()
      await spool.work.release(lane, { ...REST, pausedUntil: now + HOUR })
      now -= 10 * DAY
      await take(key, track())
      expect(await claim()).toBeDefined()
    })

    it('are all due after a rewind', async () => {
      await take(key, track())
      await spool.work.release(await claim(), { ...REST, pausedUntil: now + HOUR })
      now -= HOUR / 2
      expect(await claim()).toBeUndefined()
      await spool.work.rewind()
      expect(await claim()).toBeDefined()
    })

    it('are due again when something has arrived between the last look and the release', async () => {
      await take(key, track())
      const lane = await claim()
      const [{ id }] = await queue(lane)
      await spool.work.settle(lane, { delivered: [id] })
      expect(await queue(lane)).toEqual([])
      await take(key, track())
      await spool.work.release(lane, REST)
      expect(await claim()).toBeDefined()
    })

    it('with nothing to do are not due', async () => {
      await take(key, track())
      const lane = await claim()
      await spool.work.settle(lane, { delivered: (await queue(lane)).map(({ id }) => id) })
      await spool.work.release(lane, REST)
      now += DAY
      expect(await claim()).toBeUndefined()
    })

    it('tell this process of arrivals', async () => {
      let arrivals = 0
      const end = spool.work.onArrival(() => arrivals++)
      await take(key, track())
      end()
      await take(key, track())
      expect(arrivals).toBe(1)
    })

    it('whose stored key is damaged are still claimed, without a key', async () => {
      await take(key, track())
      await sql(`UPDATE lanes SET sealed_key = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'`)
      expect(await claim()).toMatchObject({ apiKey: undefined })
    })

    describe('with a refused key', () => {
      const parked = { status: 401 as const, reason: 'EmailSendX refused the API key.' }

      async function park(rest: object = {}) {
        await spool.work.release(await claim(), { ...REST, parked, pausedUntil: now + HOUR, tried: true, ...rest })
      }

      it('are listed with the reason, and refuse more when the key has never worked', async () => {
        await take(key, track())
        await take(other, track())
        await park()
        expect(await spool.lanes.list({ parked: true })).toEqual([
          {
            lane: expect.stringMatching(/^[0-9a-f]{12}$/),
            events: 1,
            held: 0,
            bytes: expect.any(Number),
            deadLetters: 0,
            oldestArrivedAt: START,
            proven: false,
            parked: { since: START, reason: parked.reason, nextTryAt: START + HOUR }
          }
        ])
        expect(await spool.stats()).toMatchObject({ lanes: 2, parkedLanes: 1 })
        await expect(take(key, track())).rejects.toThrow(new LaneRefused(parked.reason))
        expect(await take(other, track())).toMatchObject({ accepted: 1 })
      })

      it('take more when the key has worked before, or only lacks a scope', async () => {
        await take(key, track())
        await spool.work.release(await claim(), { ...REST, succeeded: true })
        await park()
        expect(await take(key, track())).toMatchObject({ accepted: 1 })

        await take(other, track())
        await park({ parked: { status: 403, reason: 'The key lacks a scope.' } })
        expect(await take(other, track())).toMatchObject({ accepted: 1 })
      })

      it('are tried again a minute later when a request comes in for them', async () => {
        await take(key, track())
        await park()
        now += 59_000
        await expect(take(key, track())).rejects.toThrow(LaneRefused)
        expect(await claim()).toBeUndefined()
        now += 1_000
        await expect(take(key, track())).rejects.toThrow(LaneRefused)
        expect(await claim()).toBeDefined()
      })

      it('are tried again at once when an operator says so', async () => {
        await take(key, track())
        await park()
        expect(await spool.lanes.unpark({ apiKey: other.apiKey })).toBe(0)
        expect(await claim()).toBeUndefined()
        expect(await spool.lanes.unpark({ apiKey: key.apiKey })).toBe(1)
        expect(await claim()).toBeDefined()
      })

      it('are no longer parked once the key works', async () => {
        await take(key, track())
        await park()
        now += HOUR
        await spool.work.release(await claim(), { ...REST, succeeded: true, tried: true })
        expect(await spool.lanes.list({ parked: true })).toEqual([])
        expect(await spool.lanes.list({ parked: false })).toMatchObject([{ proven: true }])
      })

      it('give up their events as dead letters when they stay refused for too long', async () => {
        await take(key, track(), track())
        await park()
        await spool.retain()
        now += DAY
        await spool.retain()
        expect((await spool.stats()).events).toBe(2)
        for (let day = 0; day < 7; day++) {
          now += DAY
          await spool.retain()
        }
        expect(await spool.stats()).toMatchObject({ events: 0, deadLetters: 2 })
        expect(await spool.deadLetters.list({ reason: 'key_refused' })).toMatchObject([
          { detail: parked.reason },
          { detail: parked.reason }
        ])
      })
    })
  })

  describe('the queue of a lane', () => {
    let lane: ClaimedLane
    let ids: number[]

    beforeEach(async () => {
      await take(key, ...Array.from({ length: 6 }, () => track({}, 'x', { pad: 'x'.repeat(300) })))
      lane = await claim()
      ids = (await queue(lane)).map(({ id }) => id)
    })

    it('is read in pages by rows and by bytes', async () => {
      expect(await spool.work.head(lane, { rows: 4, bytes: 1e6 })).toMatchObject({ complete: false })
      expect((await spool.work.head(lane, { rows: 4, bytes: 1e6 })).events).toHaveLength(4)
      expect((await spool.work.head(lane, { rows: 6, bytes: 1e6 })).complete).toBe(true)
      expect((await spool.work.head(lane, { rows: 6, bytes: 1600 })).events).toHaveLength(2)
      expect((await spool.work.head(lane, { rows: 6, bytes: 1 })).events).toHaveLength(1)
    })

    it('loses what is delivered, and makes dead letters of what failed for good', async () => {
      await spool.work.settle(lane, { failed: [ids[1], ids[2]] })
      now += 5000
      await spool.work.settle(lane, {
        failed: [ids[1]],
        delivered: [ids[0], ids[2]],
        dead: [{ ids: [ids[1]], reason: 'refused', detail: 'EmailSendX refused the request: \0no' }]
      })
      expect((await queue(lane)).map(({ id }) => id)).toEqual(ids.slice(3))
      expect(await spool.deadLetters.list({})).toMatchObject([
        {
          reason: 'refused',
          detail: 'EmailSendX refused the request: no',
          attempts: 2,
          firstFailedAt: START,
          diedAt: START + 5000
        }
      ])
      expect(await spool.stats()).toMatchObject({ events: 3, deadLetters: 1 })
    })

    it('notes attempts and what is being fired', async () => {
      await spool.work.fire(lane, ids[0])
      expect((await queue(lane))[0]).toMatchObject({ firing: true, attempts: 0 })
      await spool.work.settle(lane, { failed: [ids[0]] })
      expect((await queue(lane))[0]).toMatchObject({ firing: false, attempts: 1, firstFailedAt: START })
    })

    it('leaves out what is held, until its time or until it is woken', async () => {
      const hold = (index: number, keys: string[], until = now + HOUR): Held => {
        return { id: ids[index], for: index === 4 ? 'email' : 'turn', until, keys, gate: 'track' }
      }
      await spool.work.settle(lane, {
        held: [hold(0, ['a']), hold(1, ['a', 'b']), hold(2, ['b']), hold(3, ['c'], now + 1000), hold(4, ['d'])]
      })
      expect((await queue(lane)).map(({ id }) => id)).toEqual([ids[5]])
      expect(await spool.stats()).toMatchObject({ events: 6, held: 5 })

      now += 1000
      expect((await queue(lane)).map(({ id }) => id)).toEqual([ids[3], ids[5]])
      expect(await spool.work.settle(lane, { wakeFirst: ['a', 'd', 'x'] })).toEqual({ woken: 1 })
      expect((await queue(lane)).map(({ id }) => id)).toEqual([ids[0], ids[3], ids[5]])
      expect(await spool.work.settle(lane, { wake: ['b'] })).toEqual({ woken: 2 })
      expect((await queue(lane)).map(({ id }) => id)).toEqual([ids[0], ids[1], ids[2], ids[3], ids[5]])
    })

    it('knows what is held for a user, and wakes just the identifies', async () => {
      await take(key, identify(), identify(), identify())
      ids = (await queue(lane)).map(({ id }) => id)
      const hold = (index: number, gate: Held['gate'], why: Held['for'] = 'email'): Held => {
        return { id: ids[index], for: why, until: now + HOUR, keys: ['a'], gate }
      }
      await spool.work.settle(lane, {
        held: [hold(1, 'track'), hold(6, 'identify'), hold(3, 'track'), hold(7, 'all', 'turn'), hold(8, 'all', 'retry')]
      })
      const { held } = await spool.work.whatIsKnown(lane, ['a', 'b'])
      expect(held.sort((one, two) => one.first - two.first)).toEqual([
        { key: 'a', gate: 'track', first: ids[1] },
        { key: 'a', gate: 'identify', first: ids[6] },
        { key: 'a', gate: 'all', first: ids[7] }
      ])
      expect(await spool.work.settle(lane, { wakeIdentifies: ['a'] })).toEqual({ woken: 2 })
      expect((await spool.work.whatIsKnown(lane, ['a'])).held.map(({ first }) => first).sort()).toEqual([
        ids[1],
        ids[8]
      ])
    })

    it('is looked at when the first of the held is ripe', async () => {
      await spool.work.settle(lane, {
        delivered: ids.slice(1),
        held: [{ id: ids[0], for: 'contact', until: now + HOUR / 2, keys: ['a'], gate: 'track' }]
      })
      await spool.work.release(lane, REST)
      now += HOUR / 2 - 1
      expect(await claim()).toBeUndefined()
      now += 1
      expect(await queue(await claim())).toMatchObject([{ id: ids[0] }])
    })

    it('remembers emails of users, the latest ones, each lane its own', async () => {
      await spool.work.settle(lane, { learned: [{ key: userKey('u1'), email: 'old@example.com' }] })
      await spool.work.settle(lane, {
        learned: [
          { key: userKey('u1'), email: 'between@example.com' },
          { key: userKey('u1'), email: 'ann@example.com' },
          { key: emailKey('u2'), email: 'bob@example.com' }
        ]
      })
      const known = await spool.work.whatIsKnown(lane, [userKey('u1'), userKey('u2')])
      expect([...known.emails]).toEqual([[userKey('u1'), 'ann@example.com']])

      await take(other, track())
      expect((await spool.work.whatIsKnown(await claim(), [userKey('u1')])).emails.size).toBe(0)
    })

    it('answers about thousands of users at once', async () => {
      const keys = Array.from({ length: 25_000 }, (_, index) => userKey(String(index)))
      await spool.work.settle(lane, { learned: keys.slice(0, 3000).map((key) => ({ key, email: 'x@example.com' })) })
      expect((await spool.work.whatIsKnown(lane, keys)).emails.size).toBe(3000)
    })

    it('takes a settlement twice, since nobody may know whether the first one arrived', async () => {
      const settlement: Settlement = {
        failed: [ids[1]],
        delivered: [ids[0]],
        dead: [{ ids: [ids[1]], reason: 'refused', detail: 'No.' }],
        held: [{ id: ids[2], for: 'email', until: now + HOUR, keys: ['a', 'b'], gate: 'track' }],
        learned: [{ key: 'k', email: 'ann@example.com' }]
      }
      await spool.work.settle(lane, settlement)
      const before = await spool.stats()
      await spool.work.settle(lane, settlement)
      expect(await spool.stats()).toEqual(before)
      expect(before).toMatchObject({ events: 4, held: 1, deadLetters: 1 })
      expect((await spool.work.whatIsKnown(lane, ['a', 'b'])).held).toHaveLength(2)
    })

    it('does all of a settlement or nothing', async () => {
      await spool.work.leave('worker')
      const next = await claim('next')
      await expect(
        spool.work.settle(lane, { delivered: ids, learned: [{ key: 'k', email: 'x@example.com' }] })
      ).rejects.toThrow(LeaseLost)
      expect(await queue(next)).toHaveLength(6)
      expect((await spool.work.whatIsKnown(next, ['k'])).emails.size).toBe(0)
    })
  })

  describe('dead letters', () => {
    beforeEach(async () => {
      await take(key, track({ messageId: 't1' }), identify({ messageId: 'i1' }))
      await take(other, track({ messageId: 't2' }))
      for (const reason of ['refused', 'unknown_email'] as const) {
        const lane = await claim()
        const events = await queue(lane)
        await spool.work.settle(lane, { dead: [{ ids: events.map(({ id }) => id), reason, detail: 'No.' }] })
        await spool.work.release(lane, REST)
        now += HOUR
      }
      await spool.accept(other, { events: [], rejected: [{ messageId: 'r1', reason: 'Not an event.', item: null }] })
    })

    const messages = async (filter: object, page = {}) =>
      (await spool.deadLetters.list(filter, page)).map(({ messageId }) => messageId)

    it('are listed, the newest first, in pages and by every filter', async () => {
      const all = await spool.deadLetters.list({})
      expect(all.map(({ messageId }) => messageId)).toEqual(['r1', 't2', 'i1', 't1'])
      expect(await messages({}, { limit: 2 })).toEqual(['r1', 't2'])
      expect(await messages({}, { limit: 2, before: all[1].id })).toEqual(['i1', 't1'])
      expect(await messages({ apiKey: key.apiKey })).toEqual(['i1', 't1'])
      expect(await messages({ lane: all[0].lane })).toEqual(['r1', 't2'])
      expect(await messages({ reason: 'refused' })).toEqual(['i1', 't1'])
      expect(await messages({ type: 'identify' })).toEqual(['i1'])
      expect(await messages({ messageId: 't2' })).toEqual(['t2'])
      expect(await messages({ since: START + HOUR })).toEqual(['r1', 't2'])
      expect(await messages({ until: START + HOUR })).toEqual(['i1', 't1'])
      expect(await messages({ ids: [all[0].id, all[3].id] })).toEqual(['r1', 't1'])
      expect(await messages({ ids: [] })).toEqual([])
      expect(await spool.deadLetters.count({ type: 'track' })).toBe(2)
      expect(await spool.deadLetters.show(999_999)).toBeUndefined()
    })

    it('go through the lane again when retried, as if they had just arrived', async () => {
      expect(await spool.deadLetters.retry({ apiKey: other.apiKey })).toEqual({ retried: 1, kept: 1 })
      expect(await spool.stats()).toMatchObject({ events: 1, deadLetters: 3 })
      const lane = await claim()
      expect(lane.apiKey).toBe(other.apiKey)
      expect(await queue(lane)).toMatchObject([{ event: { messageId: 't2' }, arrivedAt: now, attempts: 0 }])
      expect(await spool.deadLetters.retry({ reason: 'unknown_email' })).toEqual({ retried: 0, kept: 0 })
    })

    it('are retried by the thousand, in their order', async () => {
      await take(key, ...Array.from({ length: 2500 }, () => track()))
      const lane = await claim()
      for (let page = await queue(lane); page.length > 0; page = await queue(lane)) {
        await spool.work.settle(lane, { dead: [{ ids: page.map(({ id }) => id), reason: 'gave_up', detail: '' }] })
      }
      const order = (await spool.deadLetters.list({ reason: 'gave_up' }, { limit: 2500 })).map(
        (letter) => letter.messageId
      )
      expect(await spool.deadLetters.retry({ reason: 'gave_up' })).toEqual({ retried: 2500, kept: 0 })
      expect((await queue(lane)).map(({ event }) => event.messageId)).toEqual(order.reverse().slice(0, 1000))
    })

    it('are gone when purged', async () => {
      expect(await spool.deadLetters.purge({ reason: 'refused' })).toBe(2)
      expect(await messages({})).toEqual(['r1', 't2'])
      expect(await spool.deadLetters.purge({})).toBe(2)
      expect(await spool.stats()).toMatchObject({ deadLetters: 0, bytes: 0 })
    })
  })

  describe('retention', () => {
    async function pass(days: number) {
      for (let day = 0; day < days; day++) {
        now += DAY
        await spool.retain()
      }
    }

    it('forgets message ids after 30 days and dead letters after 90', async () => {
      const one = track()
      await spool.accept(key, { events: [one], rejected: [{ messageId: 'r', reason: 'no', item: null }] })
      await spool.retain()
      const lane = await claim()
      await spool.work.settle(lane, { delivered: (await queue(lane)).map(({ id }) => id) })
      await spool.work.release(lane, { ...REST, succeeded: true })

      await pass(30)
      expect(await take(key, one)).toEqual({ accepted: 0, duplicates: 1 })
      await pass(2)
      expect(await take(key, one)).toEqual({ accepted: 1, duplicates: 0 })
      expect((await spool.stats()).deadLetters).toBe(1)
      await pass(59)
      expect((await spool.stats()).deadLetters).toBe(0)
    })

    it('forgets lanes whose key never worked and of which nothing is left', async () => {
      await spool.accept(key, { events: [], rejected: [{ messageId: 'r', reason: 'no', item: null }] })
      await spool.deadLetters.purge({})
      await spool.retain()
      await pass(32)
      expect((await spool.stats()).lanes).toBe(0)
    })

    it('deletes nothing on the word of a clock that has leapt, until that is confirmed', async () => {
      await spool.accept(key, { events: [], rejected: [{ messageId: 'r', reason: 'no', item: null }] })
      await spool.retain()
      now += 365 * DAY
      expect(await spool.retain()).toMatchObject({ deadLetters: 0 })
      now -= 365 * DAY
      expect(await spool.retain()).toMatchObject({ deadLetters: 0 })
      expect((await spool.stats()).deadLetters).toBe(1)
      now += 365 * DAY
      await spool.retain()
      now += HOUR
      expect(await spool.retain()).toMatchObject({ deadLetters: 1 })
    })
  })

  describe('opening', () => {
    it('is refused with another secret', async () => {
      await expect(open({ secret: 'another secret, also long' })).rejects.toThrow(
        new SpoolUnusable(
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
        all.map((each, lane) => each.accept({ apiKey: `key ${lane}` }, { events: [track()], rejected: [] }))
      )
      expect((await all[0].stats()).events).toBe(3)
    })
  })

  it('keeps no API key in clear', async () => {
    await take({ apiKey: 'esx_live_verysecretkey' }, track())
    await spool.close()
    const found: string[] = []
    if (engine === 'SQLite') {
      const database = new Database(target)
      found.push(JSON.stringify(database.prepare('SELECT * FROM lanes').all()))
      database.close()
    } else {
      const client = new Client({ connectionString: target })
      await client.connect()
      found.push(JSON.stringify((await client.query('SELECT * FROM lanes')).rows))
      await client.end()
    }
    expect(found[0]).toContain('sealed_key')
    expect(found[0]).not.toContain('verysecretkey')
  })

  it('says whether it can take a commit', async () => {
    await expect(spool.ping()).resolves.toBeUndefined()
    await spool.close()
    await expect(spool.ping()).rejects.toThrow(SpoolUnavailable)
  })
})
