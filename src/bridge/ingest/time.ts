import type { JsonObject } from '../event'

/** When the event happened, as far as can be told: never later than it arrived, for a client's clock may run ahead. */
export function timeOf(event: JsonObject, receivedAt: Date): Date {
  const time = asTime(event.timestamp) ?? asTime(event.originalTimestamp) ?? asTime(event.sentAt) ?? receivedAt
  return time < receivedAt ? time : receivedAt
}

function asTime(value: unknown): Date | undefined {
  const time = new Date(millisOf(value))
  return Number.isNaN(time.getTime()) ? undefined : time
}

/** Accepts a number of seconds or milliseconds since 1970, and any text Date understands; a time without a zone is UTC. */
function millisOf(value: unknown): number {
  if (typeof value === 'number') return value < 1e11 ? value * 1000 : value
  if (typeof value !== 'string') return NaN
  const text = value.trim()
  if (/^\d{9,}$/.test(text)) return millisOf(Number(text))
  const zoneless = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text)
  return Date.parse(zoneless ? `${text.replace(' ', 'T')}Z` : text)
}
