export interface GroupCommitOptions<Item, Result> {
  /** Commits a group, all or nothing, and returns a result for each item in order. */
  write: (items: Item[]) => Promise<Result[]>
  /** What an item counts for against `maxSize`. Default: 1 */
  sizeOf?: (item: Item) => number
  /** The size from which a group takes no more items. */
  maxSize: number
  /** Groups written at the same time. */
  writers: number
  /** Whether what made a group fail may lie in one of its items. Then each is written by itself. Default: never */
  isOfOne?: (error: unknown) => boolean
}

interface Member<Item, Result> {
  item: Item
  resolve: (result: Result) => void
  reject: (error: unknown) => void
}

/**
 * Lets those who write at the same time share a commit: while one group is being written, the next one gathers. So a commit
 * costs an fsync however many wait for it, and what comes alone does not wait at all.
 */
export class GroupCommit<Item, Result> {
  private gathering: Member<Item, Result>[] = []
  private writing = 0

  constructor(private readonly options: GroupCommitOptions<Item, Result>) {}

  async add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.gathering.push({ item, resolve, reject })
      if (this.gathering.length === 1) setImmediate(() => this.next())
    })
  }

  private next(): void {
    const { sizeOf = () => 1, maxSize, writers } = this.options
    while (this.gathering.length > 0 && this.writing < writers) {
      let size = 0
      const full = this.gathering.findIndex(({ item }) => (size += sizeOf(item)) > maxSize)
      const group = this.gathering.splice(0, full < 0 ? this.gathering.length : Math.max(full, 1))
      this.writing++
      void this.commit(group).finally(() => {
        this.writing--
        this.next()
      })
    }
  }

  private async commit(group: Member<Item, Result>[]): Promise<void> {
    const { write, isOfOne = () => false } = this.options
    try {
      const results = await write(group.map(({ item }) => item))
      group.forEach(({ resolve }, index) => resolve(results[index]))
    } catch (error) {
      if (group.length > 1 && isOfOne(error)) for (const member of group) await this.commit([member])
      else for (const { reject } of group) reject(error)
    }
  }
}
