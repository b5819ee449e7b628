/** Nothing was taken because a limit is reached: of one partition (429) or of the whole store (503). */
export class QueueFull extends Error {
  readonly name = 'QueueFull'

  constructor(
    readonly scope: 'partition' | 'store',
    readonly limit: 'bytes' | 'age' | 'unproven',
    message: string,
    /** When to try again, in seconds. */
    readonly retryAfter = 60
  ) {
    super(message)
  }
}

/** Nothing was taken because EmailSendX has refused this API key and has never accepted it (401). */
export class PartitionRefused extends Error {
  readonly name = 'PartitionRefused'
}

/** The store cannot be read or written: disk full, file damaged or gone, Postgres unreachable, or closed (503). */
export class QueueUnavailable extends Error {
  readonly name = 'QueueUnavailable'
}

/** The store works, and has refused what it was to write: what was written with it may do without it. */
export class WriteRefused extends QueueUnavailable {}

/** The store cannot be opened by this version or with this secret; the message says what to do. */
export class QueueUnusable extends Error {
  readonly name = 'QueueUnusable'
}

/** Thrown to a worker whose partition has been taken over: its result must not count, and it must let go of the partition. */
export class LeaseLost extends Error {
  readonly name = 'LeaseLost'

  constructor(partitionId: number) {
    super(`partition ${partitionId} is worked on by someone else now`)
  }
}
