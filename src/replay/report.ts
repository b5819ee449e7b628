import type { Queue } from '../bridge/queue'
import type { History } from './history'
import type { Plan } from './plan'
import { sent } from './portions'

/** How far a replay has got. */
export interface Report {
  /** Contacts and events to be sent in all. */
  total: number
  /** Put into the queue so far. */
  queued: number
  /** What became of these; unknown in a bridge's store, where they are among live ones. */
  delivered?: number
  waiting?: number
  /** Refused in delivery, or nobody knows whether they arrived: dead letters. */
  dead?: number
  /** Never sent, because they can't be: dead letters as well, once everything else is sent. */
  undeliverable: number
  calls: { planned: number; made?: number }
  finishedAt?: string
}

/** @param queue the replay's own */
export async function reportOf(history: History, plan: Plan, queue?: Queue): Promise<Report> {
  const queued = sent(history)
  const report = {
    total: plan.people + plan.firing.count,
    queued,
    undeliverable: plan.undeliverable.count,
    calls: { planned: plan.calls.total },
    finishedAt: history.get('finished')
  }
  if (!queue) return report

  const partition = history.get('partition')
  const count = (type: 'identify' | 'track') => queue.deadLetters.count({ partition, type })
  const isBegun = partition !== undefined
  const waiting = isBegun ? (await queue.partitions.list({ partition }))[0]?.events ?? 0 : 0
  const dead = isBegun ? (await count('identify')) + (await count('track')) : 0
  const made = Number(history.get('calls') ?? 0)
  const delivered = Math.max(0, queued - waiting - dead)
  return { ...report, delivered, waiting, dead, calls: { ...report.calls, made } }
}
