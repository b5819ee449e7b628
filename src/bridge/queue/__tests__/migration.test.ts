import { readFileSync } from 'node:fs'
import path from 'node:path'
import { openQueue } from '..'
import type { Queue } from '..'
import { anonymousKey, userKey } from '../keys'
import { track } from './__helpers__/events'
import { runSql, SECRET, stores } from './__helpers__/stores'

const STATE = { pausedUntil: 0, failures: 0, slow: false, succeeded: false, tried: false }

const DAY = 24 * 60 * 60 * 1000
/** When the store of version 1 was made. */
const MADE_AT = Date.UTC(2026, 10, 23)

describe.each(['SQLite', 'Postgres'] as const)('a store of version 1 on %s', (engine) => {
  const { fresh } = stores(engine)
  let queue: Queue
  let now: number

  beforeEach(async () => {
    now = MADE_AT + 2000
    const target = await fresh()
    await runSql(target, readFileSync(path.join(__dirname, `__helpers__/store-v1.${engine.toLowerCase()}.sql`), 'utf8'))
    queue = await openQueue(target, { secret: SECRET, now: () => now, maxAgeMs: 100 * DAY })
  })
  afterEach(() => queue.close())

  it('keeps every event, in order and with what was known of it', async () => {
    expect(await queue.stats()).toMatchObject({ events: 6, deferred: 3, deadLetters: 2, partitions: 2 })
    const [partition] = await queue.runs.claim('another', { pool: 'normal', limit: 1 })
    expect(partition).toMatchObject({ apiKey: 'esx_test_one', succeededAt: MADE_AT + 1000 })

    const { events } = await queue.runs.head(partition, { rows: 10, bytes: 1e6 })
    expect(events.map(({ event, firing }) => [event.messageId, firing])).toEqual([
      ['being fired', true],
      ['queued', false]
    ])
    const keys = [userKey('ann'), anonymousKey('device'), userKey('ben')]
    const { emails, blocked } = await queue.runs.lookUp(partition, keys)
    expect([...emails.values()]).toEqual(['ann@example.com', 'ann@example.com'])
    expect(blocked).toMatchObject([{ key: userKey('ben'), blocks: 'track', first: 3 }])

    expect(await queue.runs.ack(partition, { requeue: [userKey('ben')] })).toEqual({ requeued: 2 })
    const all = await queue.runs.head(partition, { rows: 10, bytes: 1e6 })
    expect(all.events.map(({ event }) => event.messageId).slice(0, 2)).toEqual([
      'waits for an email',
      'waits for its turn'
    ])
    await queue.runs.release(partition, STATE)
  })

  it('still knows duplicates, dead letters and the key that is refused', async () => {
    const request = { events: [track({ messageId: 'delivered' }), track({ messageId: 'new' })], rejected: [] }
    expect(await queue.enqueue({ apiKey: 'esx_test_one' }, request)).toEqual({ accepted: 1, duplicates: 1 })
    expect((await queue.stats()).messageIds).toBe(10 + 1)
    expect((await queue.deadLetters.list({})).map(({ reason }) => reason)).toEqual(['refused', 'rejected'])
    expect(await queue.deadLetters.retry({})).toEqual({ retried: 1, kept: 1 })
    expect(await queue.partitions.list({ suspended: true })).toMatchObject([
      { events: 1, proven: false, suspended: { reason: 'Invalid API key.' } }
    ])
  })
  it('forgets its message ids when they are no longer needed', async () => {
    const again = { events: [track({ messageId: 'delivered' })], rejected: [] }
    await queue.prune()
    for (let day = 0; day < 30; day++) {
      now += DAY
      await queue.prune()
    }
    expect(await queue.stats()).toMatchObject({ messageIds: 0 })
    expect(await queue.enqueue({ apiKey: 'esx_test_one' }, again)).toEqual({ accepted: 1, duplicates: 0 })
  })
})
