import type { EventStatus } from '../../serve/contract/errors'
import type { Event } from './events'

/** What became of an event, in the words of the person who waits for it. */
export interface Verdict {
  kind: 'delivered' | 'retried' | 'refused'
  headline: string
  detail: string
}

/** The statuses Segment sends again: 408, 429 and the server's own faults, but not those that stay as they are. */
const isRetried = (status: number): boolean =>
  status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505)

/** Segment gives up on an event after this. */
const PLATFORM_PATIENCE_MS = 4 * 3_600_000
const CONTACT_PATIENCE_MS = 3_600_000

export function verdictOf(row: EventStatus, event: Event, sentAt: number): Verdict {
  const detail = row.errormessage ?? ''
  if (row.status >= 200 && row.status < 300) return { kind: 'delivered', headline: 'Delivered', detail: done(row) }
  if (!isRetried(row.status)) return { kind: 'refused', headline: 'Refused', detail }
  return { kind: 'retried', headline: `Will be retried, until ${clock(patienceEnds(detail, event, sentAt))}`, detail }
}

/** An event that waits for its contact has less time; only the destination's words tell that it does. */
function patienceEnds(detail: string, { timestamp }: Event, sentAt: number): number {
  const happened = typeof timestamp === 'string' ? Date.parse(timestamp) : NaN
  return detail.includes('one hour old') && happened ? happened + CONTACT_PATIENCE_MS : sentAt + PLATFORM_PATIENCE_MS
}

function done({ sent, body }: EventStatus): string {
  const { email, eventName, name = eventName } = asObject(sent)
  const data = asObject(asObject(body).data)
  const started = data.matchingAutomations
  if (typeof name !== 'string') return typeof email === 'string' ? `${email} is a contact now.` : 'EmailSendX took it.'
  if (typeof started !== 'number') return `The event ${name} is fired.`
  if (started === 0) return `The event ${name} is fired; no automation waits for it.`
  return `The event ${name} is fired; ${started === 1 ? 'one automation starts' : `${started} automations start`}.`
}

const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

/** Time of day, and the day where it is another one. */
export function clock(time: number): string {
  const date = new Date(time)
  const isToday = date.toDateString() === new Date().toDateString()
  return date.toLocaleString([], {
    hour: '2-digit',
    minute: '2-digit',
    ...(isToday ? {} : { day: 'numeric', month: 'short' })
  })
}
