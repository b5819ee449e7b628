import type { Pool } from '../queue'

/** Runs of each pool that may be at work at the same time, not counting those that wait for EmailSendX. */
export type Capacity = Record<Pool, number>

interface Slot {
  pool: Pool
  isWaiting: boolean
  done: Promise<void>
}

/** Runs that wait for an answer cost little more than a connection each; here is where that ends. */
const MAX_WAITING: Capacity = { normal: 1_500, slow: 500, unproven: 50 }

/**
 * Which runs are under way, and how many more may begin. A run that waits long for an answer leaves its place to others, so
 * that keys whose calls hang take nothing from those whose calls don't.
 */
export class Slots {
  private readonly slots = new Map<number, Slot>()
  private probes: { left: number; countedAt: number }

  /** @param probesPerSecond how many runs of unproven keys may begin in a second */
  constructor(private readonly capacity: Capacity, private readonly probesPerSecond: number) {
    this.probes = { left: probesPerSecond, countedAt: performance.now() }
  }

  /** The partitions that are worked on. */
  get partitions(): number[] {
    return [...this.slots.keys()]
  }

  get count(): number {
    return this.slots.size
  }

  free(pool: Pool): number {
    const all = [...this.slots.values()].filter((slot) => slot.pool === pool)
    const waiting = all.filter(({ isWaiting }) => isWaiting).length
    if (waiting >= MAX_WAITING[pool]) return 0
    const free = Math.max(0, this.capacity[pool] - (all.length - waiting))
    return pool === 'unproven' ? Math.min(free, this.probesLeft()) : free
  }

  /** @param run resolves when the run is over, and never rejects */
  take(partitionId: number, pool: Pool, run: Promise<void>): void {
    if (pool === 'unproven') this.probes.left--
    this.slots.set(partitionId, {
      pool,
      isWaiting: false,
      done: run.finally(() => this.slots.delete(partitionId))
    })
  }

  setWaiting(partitionId: number, isWaiting: boolean): void {
    const slot = this.slots.get(partitionId)
    if (slot) slot.isWaiting = isWaiting
  }

  /** Resolves when all runs of now are over. */
  async idle(): Promise<void> {
    await Promise.all([...this.slots.values()].map(({ done }) => done))
  }

  private probesLeft(): number {
    const now = performance.now()
    const earned = Math.floor(((now - this.probes.countedAt) / 1000) * this.probesPerSecond)
    if (earned > 0) this.probes = { left: Math.min(this.probesPerSecond, this.probes.left + earned), countedAt: now }
    return this.probes.left
  }
}
