import { Counter, Histogram } from 'prom-client'
import type { Registry } from 'prom-client'
import type { Dead } from '../queue'
import type { Report } from './destination'
import type { Call } from './schedule'
import type { Effects } from './apply'

/** What the delivery counts. Labels only ever hold words of this code. */
export interface DeliveryMetrics {
  /** A call of the destination is over. */
  called(report: Report, seconds: number): void
  /** What came of it is written down. */
  acked(type: Call['type'], effects: Effects): void
  /** Events have become dead letters. */
  died(dead: Dead[]): void
}

export function createDeliveryMetrics(registry?: Registry): DeliveryMetrics {
  const registers = registry ? [registry] : []
  const requests = new Counter({
    name: 'bridge_api_requests_total',
    help: 'Requests to EmailSendX that were answered',
    labelNames: ['method', 'status'],
    registers
  })
  const seconds = new Histogram({
    name: 'bridge_call_seconds',
    help: 'Time a call of the destination took: a bulk of identifies, or one track',
    labelNames: ['type'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers
  })
  const events = new Counter({
    name: 'bridge_events_tried_total',
    help: 'Events sent to EmailSendX, by what came of it',
    labelNames: ['type', 'outcome'],
    registers
  })
  const dead = new Counter({
    name: 'bridge_dead_letters_total',
    help: 'Events that became dead letters in delivery, by reason',
    labelNames: ['reason'],
    registers
  })
  return {
    died(letters) {
      for (const { reason, ids } of letters) dead.inc({ reason }, ids.length)
    },
    called({ type, exchanges }, took) {
      seconds.observe({ type }, took)
      for (const { method, status } of exchanges) requests.inc({ method, status })
    },
    acked(type, { tally }) {
      for (const [outcome, count] of Object.entries(tally)) {
        if (count > 0) events.inc({ type, outcome: outcome.replace(' ', '_') }, count)
      }
    }
  }
}
