/**
 * Lets concurrent requests share a commit: while one group is being written, the next one gathers. So a commit costs an
 * fsync however many wait for it, and a request that comes alone does not wait at all.
 */
export class GroupCommit<Item, Result> {
  private gathering: { item: Item; resolve: (result: Result) => void; reject: (error: unknown) => void }[] = []
  private writing = 0

  /**
   * @param write commits a group, all or nothing, and returns a result for each item in order
   * @param sizeOf what an item counts for against `maxSize`, the size from which a group takes no more items
   * @param writers groups written at the same time
   */
  constructor(
    private readonly write: (items: Item[]) => Promise<Result[]>,
    private readonly sizeOf: (item: Item) => number,
    private readonly maxSize: number,
    private readonly writers: number
  ) {}

  async add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.gathering.push({ item, resolve, reject })
      if (this.gathering.length === 1) setImmediate(() => this.next())
    })
  }

  private next(): void {
    while (this.gathering.length > 0 && this.writing < this.writers) {
      let size = 0
      const full = this.gathering.findIndex(({ item }) => (size += this.sizeOf(item)) > this.maxSize)
      const group = this.gathering.splice(0, full < 0 ? this.gathering.length : Math.max(full, 1))
      this.writing++
      void this.write(group.map(({ item }) => item))
        .then(
          (results) => group.forEach(({ resolve }, index) => resolve(results[index])),
          (error) => group.forEach(({ reject }) => reject(error))
        )
        .finally(() => {
          this.writing--
          this.next()
        })
    }
  }
}
