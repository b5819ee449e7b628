/** Bytes of request bodies that are in memory at once: four of the largest, or tens of thousands of usual ones. */
const MAX_BYTES = 64 * 1024 * 1024

/** Whose body it is. A stranger is a key that EmailSendX has not accepted yet, or no key at all. */
export interface Sender {
  address: string
  apiKey?: string
  isProven: boolean
}

/**
 * The memory that request bodies take, over all requests. Strangers share a quarter of it, one address half of that quarter,
 * so that whoever holds bodies back holds up other strangers at most. One key has 2 MB, since the store takes no more of it.
 */
export class Memory {
  private readonly used = new Map<string, number>()

  constructor(private readonly max = MAX_BYTES) {}

  get bytes(): number {
    return this.used.get(ALL) ?? 0
  }

  /** The part that one request may take, nothing so far. */
  shareOf({ address, apiKey, isProven }: Sender): MemoryShare {
    const { used, max } = this
    if (isProven) return new MemoryShare(used, [[ALL, max]])
    const limits: [string, number][] = [
      [ALL, max],
      ['strangers', max / 4],
      [`address ${address}`, max / 8]
    ]
    return new MemoryShare(used, apiKey === undefined ? limits : [...limits, [`key ${apiKey}`, max / 32]])
  }
}

const ALL = 'all'

/** What one request holds. Taken as bytes arrive, not as they are promised. */
export class MemoryShare {
  private held = 0

  constructor(private readonly used: Map<string, number>, private readonly limits: [name: string, max: number][]) {}

  /** False when there is no room for so many bytes more; then none are taken. */
  take(bytes: number): boolean {
    if (this.limits.some(([name, max]) => this.usedBy(name) + bytes > max)) return false
    this.add(bytes)
    return true
  }

  give(bytes: number): void {
    this.add(-bytes)
  }

  /** Gives back all of it. */
  release(): void {
    this.add(-this.held)
  }

  private add(bytes: number): void {
    this.held += bytes
    for (const [name] of this.limits) {
      const sum = this.usedBy(name) + bytes
      if (sum > 0) this.used.set(name, sum)
      else this.used.delete(name)
    }
  }

  private usedBy(name: string): number {
    return this.used.get(name) ?? 0
  }
}
