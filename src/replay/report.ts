import type { Queue } from '../bridge/queue'
import type { History } from './history'
import type { Plan } from './plan'
import { done } from './portions'

/** How far a replay has got. */
export interface Report {
  /** Contacts and events to be sent in all. */
  total: number
  delivered: number
  /** In the queue. */
  waiting: number
  /** Refused in delivery, or nobody knows whether they arrived: dead letters. */
  dead: number
  /** Never sent, because they can't be: dead letters as well, once everything else is sent. */
  undeliverable: number
  calls: { planned: number; made: number }
  finishedAt?: string
}

export async function reportOf(history: History, plan: Plan, queue: Queue): Promise<Report> {
  const partition = history.get('partition')
  const count = (type: 'identify' | 'track') => queue.deadLetters.count({ partition, type })
  const isBegun = partition !== undefined
  const waiting = isBegun ? (await queue.partitions.list({ partition }))[0]?.events ?? 0 : 0
  const dead = isBegun ? (await count('identify')) + (await count('track')) : 0
  return {
    total: plan.people + plan.firing.count,
    delivered: Math.max(0, done(history, 'people') + done(history, 'firing') - waiting - dead),
    waiting,
    dead,
    undeliverable: plan.undeliverable.count,
    calls: { planned: plan.calls.total, made: Number(history.get('calls') ?? 0) },
    finishedAt: history.get('finished')
  }
}
