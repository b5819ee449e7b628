import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import pino from 'pino'
import { alertsOf, watchForAlerts } from '../alerts'
import type { Snapshot } from '../alerts'
import { openQueue } from '../queue'
import type { PartitionStatus, QueueStats } from '../queue'

const HOUR = 3_600_000
const stats = { events: 1, bytes: 10, maxBytes: 100, deadLetters: 3, oldestArrivedAt: 10 * HOUR } as QueueStats
const suspended = { partition: '0c34389cd57e', proven: true } as PartitionStatus
const well: Snapshot = { now: 10 * HOUR + 1, stats, suspended: [], fewestDeadLetters: 3 }
const names = (snapshot: Partial<Snapshot>) => [...alertsOf({ ...well, ...snapshot }, HOUR).keys()]

describe('what an operator is told', () => {
  it.each([
    ['nothing while all is well', {}, []],
    ['that the store is down', { stats: undefined }, ['store_down ']],
    ['that a key is refused', { suspended: [suspended] }, ['key_suspended 0c34389cd57e']],
    ['nothing of keys that never worked', { suspended: [{ ...suspended, proven: false }] }, []],
    ['that events wait for too long', { now: 11 * HOUR + 1 }, ['oldest_event ']],
    ['nothing when nothing waits', { now: 99 * HOUR, stats: { ...stats, oldestArrivedAt: undefined } }, []],
    ['that the store is nearly full', { stats: { ...stats, bytes: 81 } }, ['store_nearly_full ']],
    ['that dead letters grow', { fewestDeadLetters: 1 }, ['dead_letters_grow ']]
  ])('is %s', (_, sight, expected) => expect(names(sight)).toEqual(expected))
})

describe('an alert', () => {
  let receiver: Server
  let posts: { alert: string; state: string; text: string }[]
  let status: number

  beforeEach(async () => {
    posts = []
    status = 200
    receiver = createServer((request, response) => {
      let text = ''
      request.on('data', (chunk) => (text += String(chunk)))
      request.on('end', () => {
        posts.push(JSON.parse(text) as (typeof posts)[number])
        response.writeHead(status).end(() => receiver.emit('told'))
      })
    }).listen(0, '127.0.0.1')
    await once(receiver, 'listening')
  })

  afterEach(() => {
    receiver.closeAllConnections()
    receiver.close()
  })

  const posted = async (count: number) => {
    while (posts.length < count) await once(receiver, 'told')
  }

  it('is posted once when it begins, again only if it was not taken, and once when it is over', async () => {
    const queue = await openQueue(':memory:')
    const { port } = receiver.address() as AddressInfo
    const log = pino({ level: 'silent' })
    status = 500
    const end = watchForAlerts({ queue, url: `http://127.0.0.1:${port}/`, oldestMs: 1, log, everyMs: 5 })
    try {
      const event = { messageId: 'm', type: 'track' as const, event: { email: 'morgan@acme.com' }, options: {} }
      await queue.enqueue({ apiKey: 'esx_test_key' }, { events: [event], rejected: [] })
      await posted(2)
      status = 200
      const before = posts.length
      await posted(before + 1)
      await queue.partitions.drop({})
      while (posts.at(-1)?.state !== 'resolved') await once(receiver, 'told')
      const last = posts.slice(before).map(({ alert, state }) => `${alert} ${state}`)
      expect(last.filter((one) => one === 'oldest_event firing').length).toBeLessThanOrEqual(2)
      expect(last.at(-1)).toBe('oldest_event resolved')
      expect(JSON.stringify(posts)).not.toMatch(/esx_|morgan/)
    } finally {
      await end()
      await queue.close()
    }
  })
})
