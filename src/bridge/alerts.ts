import type { Logger } from 'pino'
import type { PartitionStatus, Queue, QueueStats } from './queue'

/** Something an operator should look at. `text` is what chat systems show of a webhook. */
export interface Alert {
  alert: 'key_suspended' | 'oldest_event' | 'store_nearly_full' | 'dead_letters_grow' | 'store_down'
  /** Short name of the key that it is about. */
  partition?: string
  text: string
}

export interface AlertOptions {
  queue: Pick<Queue, 'stats' | 'partitions'>
  /** Where alerts are posted to: https, or http on loopback. */
  url: string
  /** How old the oldest event that waits for nothing but its delivery may become. */
  oldestMs: number
  log: Pick<Logger, 'warn'>
  everyMs?: number
}

const EVERY_MS = 15_000
const TIMEOUT_MS = 10_000
const HOUR_MS = 60 * 60 * 1000
const NEARLY_FULL = 0.8
const MAX_KEYS = 1_000

/** What the rules look at. */
export interface Snapshot {
  now: number
  /** Absent: the store does not answer. */
  stats?: QueueStats
  suspended: PartitionStatus[]
  /** The fewest dead letters of the last hour. */
  fewestDeadLetters: number
}

/** What is wrong now, by a name of its own for each thing. */
export function alertsOf({ now, stats, suspended, fewestDeadLetters }: Snapshot, oldestMs: number): Map<string, Alert> {
  const alerts = new Map<string, Alert>()
  const raise = (alert: Alert) => alerts.set(`${alert.alert} ${alert.partition ?? ''}`, alert)
  if (stats === undefined) {
    raise({ alert: 'store_down', text: 'The store of the bridge does not answer: nothing is taken in or delivered.' })
    return alerts
  }
  // What strangers send with keys of their own invention is no news.
  for (const { partition, proven } of suspended) {
    if (!proven) continue
    const text = `EmailSendX refuses a key that it accepted before (${partition}): its events wait.`
    raise({ alert: 'key_suspended', partition, text })
  }
  const waited = now - (stats.oldestArrivedAt ?? now)
  if (waited > oldestMs) {
    raise({
      alert: 'oldest_event',
      text: `The oldest event has waited for ${minutes(waited)}, the limit is ${minutes(oldestMs)}.`
    })
  }
  const share = stats.bytes / stats.maxBytes
  if (share > NEARLY_FULL) {
    raise({ alert: 'store_nearly_full', text: `The store is ${Math.round(share * 100)} % full.` })
  }
  const more = stats.deadLetters - fewestDeadLetters
  if (more > 0) raise({ alert: 'dead_letters_grow', text: `${more} more dead letters within an hour.` })
  return alerts
}

function minutes(ms: number): string {
  return `${Math.round(ms / 60_000)} minutes`
}

/**
 * Posts an alert when something is wrong, and one when it is over: once each, or until the receiver has taken it. No key, address or
 * event is in it.
 * @returns what ends the watch
 */
export function watchForAlerts({ queue, url, oldestMs, log, everyMs = EVERY_MS }: AlertOptions): () => Promise<void> {
  const firing = new Map<string, Alert>()
  const deadLetters: { at: number; count: number }[] = []
  const ending = new AbortController()
  let round = Promise.resolve()
  const timer = setInterval(() => void (round = round.then(look)), everyMs)

  async function look(): Promise<void> {
    const current = alertsOf(await snapshot(), oldestMs)
    for (const [name, alert] of current) {
      if (!firing.has(name) && (await post({ ...alert, state: 'firing' }))) firing.set(name, alert)
    }
    for (const [name, alert] of firing) {
      if (!current.has(name) && (await post({ ...alert, state: 'resolved', text: `Over: ${alert.text}` })))
        firing.delete(name)
    }
  }

  async function snapshot(): Promise<Snapshot> {
    const now = Date.now()
    try {
      const stats = await queue.stats()
      const suspended = await queue.partitions.list({ suspended: true, limit: MAX_KEYS })
      deadLetters.push({ at: now, count: stats.deadLetters })
      while (deadLetters[0].at < now - HOUR_MS) deadLetters.shift()
      return { now, stats, suspended, fewestDeadLetters: Math.min(...deadLetters.map(({ count }) => count)) }
    } catch {
      return { now, suspended: [], fewestDeadLetters: 0 }
    }
  }

  async function post(alert: Alert & { state: 'firing' | 'resolved' }): Promise<boolean> {
    try {
      const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(TIMEOUT_MS)])
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(alert), signal })
      await response.body?.cancel()
      if (response.ok) return true
      log.warn({ alert: alert.alert, status: response.status }, 'an alert was not taken')
    } catch (error) {
      if (!ending.signal.aborted)
        log.warn({ alert: alert.alert, why: (error as Error).message }, 'an alert was not taken')
    }
    return false
  }

  return async () => {
    clearInterval(timer)
    ending.abort()
    await round
  }
}
