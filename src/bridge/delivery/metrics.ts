import { Counter, Histogram } from 'prom-client'
import type { Registry } from 'prom-client'
import type { Outcome } from '../../../definitions/emailsendx/functions'
import type { Dead } from '../queue'
import type { Call } from './schedule'

export type DeliveryMetrics = ReturnType<typeof createDeliveryMetrics>

/** What the delivery counts. Labels only ever hold words of this code. */
export function createDeliveryMetrics(registry?: Registry) {
  const registers = registry ? [registry] : []
  const counter = (name: string, help: string, ...labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers })
  const requests = counter('bridge_api_requests_total', 'Requests to EmailSendX that were answered', 'method', 'status')
  const seconds = new Histogram({
    name: 'bridge_call_seconds',
    help: 'Time a call of the destination took: a bulk of identifies, one track, or the probe of a new key',
    labelNames: ['type'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers
  })
  const events = counter(
    'bridge_events_tried_total',
    'Events sent to EmailSendX, by what came of it',
    'type',
    'outcome'
  )
  const dead = counter('bridge_dead_letters_total', 'Events that became dead letters in delivery, by reason', 'reason')
  const unknownKeys = counter('bridge_unknown_keys_total', 'API keys that EmailSendX refused and had never accepted')
  const erased = counter('bridge_unknown_keys_items_total', 'Events and dead letters of such keys, deleted')
  return {
    /** EmailSendX has answered a request. */
    requested: (method: string, status: number) => requests.inc({ method, status }),
    /** A call of the destination is over. */
    called: (type: Call['type'] | 'probe', took: number) => seconds.observe({ type }, took),
    /** What came of the events of a call is written down. */
    tried(type: Call['type'], outcomes: Outcome[]) {
      for (const { kind } of outcomes) events.inc({ type, outcome: kind })
    },
    /** An event was not fired, since no automation waits for its name. */
    skipped: () => events.inc({ type: 'track', outcome: 'skipped' }),
    /** Events have become dead letters. */
    died(letters: Dead[]) {
      for (const { reason, ids } of letters) dead.inc({ reason }, ids.length)
    },
    /** EmailSendX does not know a key, and what came with it is gone. */
    erased(items: number) {
      unknownKeys.inc()
      erased.inc(items)
    }
  }
}
