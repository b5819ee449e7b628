import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Queue, QueueStats } from './queue'
import type { Receipt } from './ingest/receive'

export type BridgeMetrics = ReturnType<typeof createMetrics>

/** What the bridge counts. Labels only ever hold names from this code, never a key, an address or anything a sender chose. */
export function createMetrics(queue: Pick<Queue, 'stats' | 'ping'>, memory: { bytes: number }) {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })

  const requests = new Counter({
    name: 'bridge_requests_total',
    help: 'Requests answered by the ingest',
    labelNames: ['source', 'status'],
    registers
  })
  const seconds = new Histogram({
    name: 'bridge_request_seconds',
    help: 'Time from the head of a request to its answer, which is after everything in it is on disk',
    labelNames: ['source'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers
  })
  const events = new Counter({
    name: 'bridge_events_received_total',
    help: 'Events in requests answered with 200, by what became of them',
    labelNames: ['source', 'outcome'],
    registers
  })
  new Gauge({
    name: 'bridge_request_memory_bytes',
    help: 'Request bodies held in memory',
    registers,
    collect() {
      this.set(memory.bytes)
    }
  })
  const askStore = storeGauges(registry, queue)

  return {
    /** Where the delivery adds what it counts. */
    registry,
    /** Everything as Prometheus reads it. */
    async scrape() {
      await askStore()
      return registry.metrics()
    },
    /** One request of a source is answered. */
    answered(source: string, status: number, took: number) {
      requests.inc({ source, status })
      seconds.observe({ source }, took)
    },
    /** Events of a source are taken. */
    received(source: string, receipt: Receipt) {
      for (const [outcome, count] of Object.entries<number>({ ...receipt }))
        if (count > 0) events.inc({ source, outcome }, count)
    }
  }
}

/** The store's own numbers, absent while it cannot be asked. `bridge_store_up` is 0 as soon as it cannot be written. */
function storeGauges(registry: Registry, queue: Pick<Queue, 'stats' | 'ping'>): () => Promise<void> {
  const registers = [registry]
  const up = new Gauge({ name: 'bridge_store_up', help: '1 when the store takes commits', registers })
  const gauges = STORE_GAUGES.map(([name, help, of]) => ({ gauge: new Gauge({ name, help, registers }), of }))
  return async () => {
    const [stats, written] = await Promise.allSettled([queue.stats(), queue.ping()])
    up.set(written.status === 'fulfilled' ? 1 : 0)
    const numbers = stats.status === 'fulfilled' ? numbersOf(stats.value) : undefined
    for (const { gauge, of } of gauges) {
      if (numbers) gauge.set(numbers[of])
      else gauge.remove()
    }
  }
}

const STORE_GAUGES: [name: string, help: string, of: keyof ReturnType<typeof numbersOf>][] = [
  ['bridge_store_events', 'Events stored and not yet delivered', 'events'],
  ['bridge_store_events_deferred', 'Of these, waiting for their user, their contact or their turn', 'deferred'],
  ['bridge_store_oldest_seconds', 'Age of the oldest event that waits for nothing but its delivery', 'oldestSeconds'],
  ['bridge_store_bytes', 'Bytes of events and dead letters', 'bytes'],
  ['bridge_store_max_bytes', 'The limit on these bytes, over which the sources answer 503', 'maxBytes'],
  ['bridge_dead_letters', 'Dead letters', 'deadLetters'],
  ['bridge_partitions', 'API keys the store knows', 'partitions'],
  ['bridge_message_ids', 'Message ids remembered, to tell duplicates', 'messageIds'],
  ['bridge_identity_links', 'Ids of users whose address is remembered', 'identityLinks'],
  ['bridge_partitions_unproven', 'API keys EmailSendX has not accepted yet', 'unprovenPartitions'],
  ['bridge_partitions_suspended', 'API keys EmailSendX refuses and accepted before', 'suspendedPartitions']
]

function numbersOf({ oldestArrivedAt: oldest, ...numbers }: QueueStats) {
  return { ...numbers, oldestSeconds: oldest === undefined ? 0 : Math.max(0, (Date.now() - oldest) / 1000) }
}
