import type { Queue } from '../bridge/queue'
import type { History } from './history'
import type { Plan } from './plan'
import { done } from './portions'

/** How far a replay has got. */
export interface Report {
  /** Contacts and events to be sent in all, and those that were put into the queue. */
  total: number
  queued: number
  /** What became of these. Unknown where a bridge delivers, since its queue holds live events as well. */
  delivered?: number
  waiting?: number
  /** Refused in delivery, or nobody knows whether they arrived: dead letters. */
  dead?: number
  /** Never sent, because they can't be: dead letters as well, once everything else is queued. */
  undeliverable: number
  /** Events that the bridge had taken before, by their messageId. */
  duplicates?: number
  calls: { planned: number; made?: number }
  finishedAt?: string
}

/** @param ownQueue the queue, where nothing else is in it */
export async function reportOf(history: History, plan: Plan, ownQueue?: Queue): Promise<Report> {
  const count = (name: string) => Number(history.get(name) ?? 0)
  const queued = done(history, 'people') + done(history, 'firing')
  const report: Report = {
    total: plan.people + plan.firing.count,
    queued,
    undeliverable: plan.undeliverable.count,
    calls: { planned: plan.calls.total },
    finishedAt: history.get('finished')
  }
  if (!ownQueue) return { ...report, duplicates: count('duplicates') }

  const partition = history.get('partition')
  if (partition === undefined) return { ...report, delivered: 0, waiting: 0, dead: 0 }
  const waiting = (await ownQueue.partitions.list({ partition }))[0]?.events ?? 0
  const ofType = (type: 'identify' | 'track') => ownQueue.deadLetters.count({ partition, type })
  const dead = (await ofType('identify')) + (await ofType('track'))
  const made = count('calls')
  return { ...report, delivered: queued - waiting - dead, waiting, dead, calls: { ...report.calls, made } }
}
