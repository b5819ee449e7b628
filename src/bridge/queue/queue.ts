import type { BridgeEvent, RejectedItem } from '../event'

/**
 * The durable store between the doors and the delivery. Everything a door acknowledged is in here until it is delivered
 * or a dead letter. Two engines keep the same promises: a SQLite file, and Postgres for several machines.
 */
export interface Queue {
  /**
   * Takes one request. Everything of it is committed and on disk when this resolves; when it rejects, nothing of it is.
   * @throws QueueFull, PartitionRefused, QueueUnavailable
   */
  enqueue(partition: PartitionKey, request: EnqueueRequest): Promise<Enqueued>
  /** Whether EmailSendX has ever accepted the key. Anybody can make up another one. @throws QueueUnavailable */
  isProven(partition: PartitionKey): Promise<boolean>
  /** Resolves when the store can take a commit right now. @throws QueueUnavailable */
  ping(): Promise<void>
  /** What metrics and health show. Cheap enough to be called every few seconds. @throws QueueUnavailable */
  stats(): Promise<QueueStats>
  readonly deadLetters: DeadLetters
  readonly partitions: Partitions
  /** The delivery's side. */
  readonly runs: Runs
  /** Deletes what is past its retention (message ids, old dead letters, empty forgotten partitions). Delivery runs it hourly. */
  prune(): Promise<Pruned>
  /** Waits for what is being written, then closes the store. Every later call rejects with QueueUnavailable. */
  close(): Promise<void>
}

/** A partition is everything that was sent with one EmailSendX API key. */
export interface PartitionKey {
  apiKey: string
}

export interface EnqueueRequest {
  events: BridgeEvent[]
  /** Items that can never be delivered: kept as dead letters (reason `rejected`) in the same commit. */
  rejected: RejectedItem[]
}

export interface Enqueued {
  /** Events newly taken. */
  accepted: number
  /** Events whose messageId this partition has already taken within the de-duplication window. */
  duplicates: number
}

/** Nothing was taken because a limit is reached: of one partition (429) or of the whole store (503). */
export class QueueFull extends Error {
  constructor(readonly scope: 'partition' | 'store', readonly limit: 'bytes' | 'age', message: string) {
    super(message)
    this.name = 'QueueFull'
  }
}

/** Nothing was taken because EmailSendX has refused this API key and has never accepted it (401). */
export class PartitionRefused extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'PartitionRefused'
  }
}

/** The store cannot be read or written: disk full, file damaged or read-only, Postgres unreachable, or closed (503). */
export class QueueUnavailable extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'QueueUnavailable'
  }
}

/** The store cannot be opened by this version or with this secret; the message says what to do. */
export class QueueUnusable extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'QueueUnusable'
  }
}

/** Thrown to a worker whose partition has been taken over: its result must not count, and it must let go of the partition. */
export class LeaseLost extends Error {
  constructor(partitionId: number) {
    super(`partition ${partitionId} is worked on by someone else now`)
    this.name = 'LeaseLost'
  }
}

export interface QueueStats {
  /** Events not yet delivered (queued, deferred and in flight). */
  events: number
  /** Of these, how many are deferred: their user, their contact or their turn is not there yet. */
  deferred: number
  /** Bytes of all events and dead letters, as counted against the limit. */
  bytes: number
  maxBytes: number
  deadLetters: number
  partitions: number
  /** Partitions whose API key EmailSendX refuses. */
  suspendedPartitions: number
  /** Arrival of the oldest event that is not deferred, ms since 1970; absent when there is none. */
  oldestArrivedAt?: number
}

export interface Pruned {
  /** Forgotten message ids. */
  messageIds: number
  /** Deleted dead letters. */
  deadLetters: number
  /** Events made dead letters because their key stayed refused. */
  keyRefused: number
  /** Forgotten partitions whose key never worked. */
  partitions: number
}

// ---------------------------------------------------------------------------------------------- partitions, as a worker sees them

/**
 * Work on partitions, across all processes that share the store. A partition is worked on by whoever claimed it last; the store
 * takes nothing about it from anybody else. Times are the process's own, leases go by the store's clock.
 */
export interface Runs {
  /** Says that the worker lives. Partitions of a worker that has not said so for `leaseMs` (at most a minute) are up for grabs. */
  heartbeat(worker: string, leaseMs: number): Promise<void>
  /** Ends the worker: its partitions are free at once. */
  deregister(worker: string): Promise<void>
  /** Takes partitions that are due: the longest due first, up to `limit`, never one of `except`. */
  claim(worker: string, query: { limit: number; slow: boolean; except: number[] }): Promise<ClaimedPartition[]>
  /** The first events of the partition that are not deferred, up to a number of rows and bytes, at least one. @throws LeaseLost */
  head(lease: Lease, size: { rows: number; bytes: number }): Promise<QueuePage>
  /** What is known in the partition of users by their keys (see keys.ts): their emails, and what of them is blocked. */
  lookUp(lease: Lease, keys: string[]): Promise<{ emails: Map<string, string>; blocked: BlockedKey[] }>
  /** Writes down, before it happens, that an event is fired. @throws LeaseLost when it must not be */
  markFiring(lease: Lease, eventId: number): Promise<void>
  /**
   * Writes down what became of events, all or nothing. May be repeated when nobody knows whether it was done.
   * @returns how many others are back in the queue
   * @throws LeaseLost
   */
  ack(lease: Lease, ack: Ack): Promise<{ requeued: number }>
  /** Gives the partition back. @throws LeaseLost */
  release(lease: Lease, state: ReleaseState): Promise<void>
  /** The clock was set back: every partition is due now. */
  reschedule(): Promise<void>
  /** Calls back when this process has put something into a partition. @returns what ends that. */
  onEnqueue(listener: () => void): () => void
}

/** A worker's right to a partition. Only the newest token of a partition counts. */
export interface Lease {
  partitionId: number
  token: number
}

export interface ClaimedPartition extends Lease {
  /** Short name of the partition, for logs. */
  partition: string
  /** Undefined: what is stored can't be decrypted. */
  apiKey?: string
  /** Calls in a row that came to nothing. */
  failures: number
  /** Last time a call came to something, ms since 1970. */
  succeededAt?: number
}

export interface QueuePage {
  /** In the order of arrival. */
  events: QueuedEvent[]
  /** There is nothing behind them. */
  complete: boolean
}

/** An undelivered event. */
export interface QueuedEvent {
  id: number
  event: BridgeEvent
  /** ms since 1970. */
  arrivedAt: number
  /** Calls that were made for it. */
  attempts: number
  firstFailedAt?: number
  /** Somebody set out to fire it and never said what came of it. */
  firing: boolean
}

/** Why an event is out of the queue for now. */
export type DeferReason =
  /** Nobody has told the email of its user. */
  | 'email'
  /** EmailSendX has no contact with its email. */
  | 'contact'
  /** An earlier event of its user is deferred. */
  | 'turn'
  /** It keeps failing, its neighbours do not. */
  | 'retry'

/**
 * What a deferred event blocks of its user's later events: their tracks, or everything. `identify`: an identify that
 * waits for its email keeps back tracks, and is to be sent before the identify that brings the email.
 */
export type Block = 'track' | 'identify' | 'all'

export interface BlockedKey {
  key: string
  blocks: Block
  /** The earliest of the deferred events of this key that block this. */
  first: number
}

/** An event to be taken out of the queue for now. */
export interface Deferral {
  id: number
  for: DeferReason
  /** When it goes back into the queue at the latest, ms since 1970. */
  until: number
  /** All keys of its user. */
  keys: string[]
  blocks: Block
}

/** Events that will not be delivered. */
export interface Dead {
  ids: number[]
  reason: DeadReason
  detail: string
}

/** What a worker has found out about events of its partition. They are all or nothing. */
export interface Ack {
  /** Tried in vain: counted as an attempt. May be named again below. */
  failed?: number[]
  delivered?: number[]
  dead?: Dead[]
  deferred?: Deferral[]
  /** Keys of userIds and anonymousIds, and the email they now stand for. */
  links?: { key: string; email: string }[]
  /**
   * Everything held for these keys goes back into the queue, or just the first of each key (unless that waits for an
   * email), or just the identifies that do not wait for EmailSendX to get over a failure.
   */
  requeue?: string[]
  requeueFirst?: string[]
  requeueIdentifies?: string[]
}

/** What a worker says when it lets go of a partition. */
export interface ReleaseState {
  /** No call before then, ms since 1970. */
  pausedUntil: number
  failures: number
  /** Its calls take long or fail, so it is worked on beside the others, not among them. */
  slow: boolean
  /** A call came to something, so EmailSendX accepts the key. */
  succeeded: boolean
  /** EmailSendX refuses the key. */
  suspended?: { status: 401 | 403; reason: string }
  /** A call was made. */
  tried: boolean
}

// ---------------------------------------------------------------------------------------------- dead letters

/** Why an event will not be delivered. */
export type DeadReason =
  /** Not an event at all, or one no delivery exists for: refused by the door. */
  | 'rejected'
  /** EmailSendX, or the destination on its behalf, refused it for good. */
  | 'refused'
  /** Nobody told the email of its userId or anonymousId in time. */
  | 'unknown_email'
  /** No contact with its email appeared in time. */
  | 'unknown_contact'
  /** It may or may not have been fired (crash or lost answer), and the bridge is told not to send such events again. */
  | 'outcome_unknown'
  /** It failed again and again while its neighbours got through. */
  | 'gave_up'
  /** Its API key stayed refused for longer than events are kept. */
  | 'key_refused'

export interface DeadLetter {
  id: number
  /** Short name of the partition (the start of the key's fingerprint), as `partitions.list` shows it. Never the key. */
  partition: string
  messageId: string
  /** `identify`, `track`, or `rejected` for what was never an event. */
  type: 'identify' | 'track' | 'rejected'
  reason: DeadReason
  /** What happened, in EmailSendX's own words where it spoke. */
  detail: string
  attempts: number
  /** ms since 1970. */
  arrivedAt: number
  firstFailedAt?: number
  diedAt: number
  bytes: number
}

/** All given conditions must hold. */
export interface DeadLetterFilter {
  ids?: number[]
  partition?: string
  apiKey?: string
  reason?: DeadReason
  type?: DeadLetter['type']
  messageId?: string
  /** Died at or after / before, ms since 1970. */
  since?: number
  until?: number
}

export interface DeadLetters {
  /** Newest first. `before` is the last id of the page before. */
  list(filter: DeadLetterFilter, page?: { limit?: number; before?: number }): Promise<DeadLetter[]>
  count(filter: DeadLetterFilter): Promise<number>
  /** One dead letter with what was received: the BridgeEvent, or the rejected item as it came. */
  show(id: number): Promise<(DeadLetter & { content: unknown }) | undefined>
  /** Puts them back at the end of their partitions, as if they had arrived now. Rejected items stay where they are. */
  retry(filter: DeadLetterFilter): Promise<{ retried: number; kept: number }>
  purge(filter: DeadLetterFilter): Promise<number>
}

// ---------------------------------------------------------------------------------------------- partitions, as an operator sees them

export interface PartitionStatus {
  /** Short name: the start of the key's fingerprint. */
  partition: string
  events: number
  deferred: number
  bytes: number
  deadLetters: number
  oldestArrivedAt?: number
  /** EmailSendX has accepted this key at least once. */
  proven: boolean
  suspended?: { since: number; reason: string; nextTryAt: number }
}

export interface Partitions {
  list(filter?: { partition?: string; apiKey?: string; suspended?: boolean }): Promise<PartitionStatus[]>
  /** Lets suspended partitions try again at once. Resolves to how many. */
  resume(filter: { partition?: string; apiKey?: string }): Promise<number>
}
