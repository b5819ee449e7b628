import type { Store } from './drivers/driver'
import { WriteRefused } from './errors'
import { GroupCommit } from './group-commit'
import type { PartitionLimits } from './transactions/enqueue'

/** A group of requests written in one transaction takes no more bytes. */
const MAX_BYTES = 2 * 1024 * 1024
/** Partitions in one transaction. */
const MAX_LEASES = 64
/** Those whose events are read in one transaction, each up to a page of them. */
const MAX_PAGES = 16
/** What users go by, looked up in one transaction. */
const MAX_KEYS = 5_000
/** Groups of one kind written at a time. */
const WRITERS = 2

export type SharedCommits = ReturnType<typeof sharedCommits>

/** What requests and partitions do with the store so often that those who do it at the same time share transactions. */
export function sharedCommits(store: Store, limits: PartitionLimits) {
  return {
    enqueue: shared(
      (requests: Parameters<Store['enqueue']>[0]) => store.enqueue(requests, limits),
      MAX_BYTES,
      ({ bytes }) => bytes
    ),
    claim: shared(store.claim, MAX_LEASES),
    head: shared(store.head, MAX_PAGES),
    lookUp: shared(store.lookUp, MAX_KEYS, ({ keys }) => keys.length),
    markFiring: shared(store.markFiring, MAX_LEASES),
    ack: shared(store.ack, MAX_LEASES),
    release: shared(store.release, MAX_LEASES)
  }
}

function shared<Item, Result>(
  write: (items: Item[]) => Promise<Result[]>,
  maxSize: number,
  sizeOf?: (item: Item) => number
): GroupCommit<Item, Result> {
  const isOfOne = (error: unknown) => error instanceof WriteRefused
  return new GroupCommit({ write, maxSize, sizeOf, writers: WRITERS, isOfOne })
}
