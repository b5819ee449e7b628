import type { BridgeEvent, RejectedItem } from '../event'

/**
 * The durable store between the doors and the delivery. Everything a door acknowledged is in here until it is delivered
 * or a dead letter. Two engines keep the same promises: a SQLite file, and Postgres for several machines.
 */
export interface Spool {
  /**
   * Takes one request. Everything of it is committed and on disk when this resolves; when it rejects, nothing of it is.
   * @throws SpoolFull, LaneRefused, SpoolUnavailable
   */
  accept(lane: LaneKey, request: AcceptRequest): Promise<Accepted>
  /** Resolves when the store can take a commit right now. @throws SpoolUnavailable */
  ping(): Promise<void>
  /** What metrics and health show. Cheap enough to be called every few seconds. @throws SpoolUnavailable */
  stats(): Promise<SpoolStats>
  readonly deadLetters: DeadLetters
  readonly lanes: LaneDesk
  /** The delivery's side. */
  readonly work: LaneWork
  /** Deletes what is past its retention (message ids, old dead letters, empty forgotten lanes). Delivery runs it hourly. */
  retain(): Promise<Retained>
  /** Waits for what is being written, then closes the store. Every later call rejects with SpoolUnavailable. */
  close(): Promise<void>
}

/** A lane is everything that was sent with one EmailSendX API key. */
export interface LaneKey {
  apiKey: string
}

export interface AcceptRequest {
  events: BridgeEvent[]
  /** Items that can never be delivered: kept as dead letters (reason `rejected`) in the same commit. */
  rejected: RejectedItem[]
}

export interface Accepted {
  /** Events newly taken. */
  accepted: number
  /** Events whose messageId this lane has already taken within the de-duplication window. */
  duplicates: number
}

/** Nothing was taken because a limit is reached: of one lane (429) or of the whole store (503). */
export class SpoolFull extends Error {
  constructor(readonly scope: 'lane' | 'store', readonly limit: 'bytes' | 'age', message: string) {
    super(message)
    this.name = 'SpoolFull'
  }
}

/** Nothing was taken because EmailSendX has refused this API key and has never accepted it (401). */
export class LaneRefused extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'LaneRefused'
  }
}

/** The store cannot be read or written: disk full, file damaged or read-only, Postgres unreachable, or closed (503). */
export class SpoolUnavailable extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'SpoolUnavailable'
  }
}

/** The store cannot be opened by this version or with this secret; the message says what to do. */
export class SpoolUnusable extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'SpoolUnusable'
  }
}

/** Thrown to a worker whose lane has been taken over: its result must not count, and it must let go of the lane. */
export class LeaseLost extends Error {
  constructor(laneId: number) {
    super(`lane ${laneId} is worked on by someone else now`)
    this.name = 'LeaseLost'
  }
}

export interface SpoolStats {
  /** Events not yet delivered (queued, held and in flight). */
  events: number
  /** Of these, how many are held back: their user, their contact or their turn is not there yet. */
  held: number
  /** Bytes of all events and dead letters, as counted against the limit. */
  bytes: number
  maxBytes: number
  deadLetters: number
  lanes: number
  /** Lanes whose API key EmailSendX refuses. */
  parkedLanes: number
  /** Arrival of the oldest event that is not held, ms since 1970; absent when there is none. */
  oldestArrivedAt?: number
}

export interface Retained {
  /** Forgotten message ids. */
  messageIds: number
  /** Deleted dead letters. */
  deadLetters: number
  /** Events made dead letters because their key stayed refused. */
  keyRefused: number
  /** Forgotten lanes whose key never worked. */
  lanes: number
}

// ---------------------------------------------------------------------------------------------- lanes, as a worker sees them

/**
 * Work on lanes, across all processes that share the store. A lane is worked on by whoever claimed it last; the store
 * takes nothing about it from anybody else. Times are the process's own, leases go by the store's clock.
 */
export interface LaneWork {
  /** Says that the worker lives. Lanes of a worker that has not said so for `leaseMs` (at most a minute) are up for grabs. */
  beat(worker: string, leaseMs: number): Promise<void>
  /** Ends the worker: its lanes are free at once. */
  leave(worker: string): Promise<void>
  /** Takes lanes that are due: the longest due first, up to `limit`, never one of `except`. */
  claim(worker: string, query: { limit: number; slow: boolean; except: number[] }): Promise<ClaimedLane[]>
  /** The first events of the lane that are not held, up to a number of rows and bytes, at least one. @throws LeaseLost */
  head(lease: Lease, size: { rows: number; bytes: number }): Promise<LanePage>
  /** What is known in the lane of users by their keys (see keys.ts): their emails, and what of them is held. */
  whatIsKnown(lease: Lease, keys: string[]): Promise<{ emails: Map<string, string>; held: HeldKey[] }>
  /** Writes down, before it happens, that an event is fired. @throws LeaseLost when it must not be */
  fire(lease: Lease, eventId: number): Promise<void>
  /**
   * Writes down what became of events, all or nothing. May be repeated when nobody knows whether it was done.
   * @returns how many others are back in the queue
   * @throws LeaseLost
   */
  settle(lease: Lease, settlement: Settlement): Promise<{ woken: number }>
  /** Gives the lane back. @throws LeaseLost */
  release(lease: Lease, rest: Rest): Promise<void>
  /** The clock was set back: every lane is due now. */
  rewind(): Promise<void>
  /** Calls back when this process has put something into a lane. @returns what ends that. */
  onArrival(listener: () => void): () => void
}

/** A worker's right to a lane. Only the newest token of a lane counts. */
export interface Lease {
  laneId: number
  token: number
}

export interface ClaimedLane extends Lease {
  /** Short name of the lane, for logs. */
  lane: string
  /** Undefined: what is stored can't be unsealed. */
  apiKey?: string
  /** Calls in a row that came to nothing. */
  failures: number
  /** Last time a call came to something, ms since 1970. */
  succeededAt?: number
}

export interface LanePage {
  /** In the order of arrival. */
  events: LaneEvent[]
  /** There is nothing behind them. */
  complete: boolean
}

/** An undelivered event. */
export interface LaneEvent {
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
export type HeldFor =
  /** Nobody has told the email of its user. */
  | 'email'
  /** EmailSendX has no contact with its email. */
  | 'contact'
  /** An earlier event of its user is held. */
  | 'turn'
  /** It keeps failing, its neighbours do not. */
  | 'retry'

/**
 * What a held event keeps back of its user's later events: their tracks, or everything. `identify`: an identify that
 * waits for its email keeps back tracks, and is to be sent before the identify that brings the email.
 */
export type Gate = 'track' | 'identify' | 'all'

export interface HeldKey {
  key: string
  gate: Gate
  /** The earliest of the events held for this key with this gate. */
  first: number
}

/** An event to be taken out of the queue for now. */
export interface Held {
  id: number
  for: HeldFor
  /** When it goes back into the queue at the latest, ms since 1970. */
  until: number
  /** All keys of its user. */
  keys: string[]
  gate: Gate
}

/** Events that will not be delivered. */
export interface Dead {
  ids: number[]
  reason: DeadReason
  detail: string
}

/** What a worker has found out about events of its lane. They are all or nothing. */
export interface Settlement {
  /** Tried in vain: counted as an attempt. May be named again below. */
  failed?: number[]
  delivered?: number[]
  dead?: Dead[]
  held?: Held[]
  /** Keys of userIds and anonymousIds, and the email they now stand for. */
  learned?: { key: string; email: string }[]
  /**
   * Everything held for these keys goes back into the queue, or just the first of each key (unless that waits for an
   * email), or just the identifies that do not wait for EmailSendX to get over a failure.
   */
  wake?: string[]
  wakeFirst?: string[]
  wakeIdentifies?: string[]
}

/** What a worker says when it lets go of a lane. */
export interface Rest {
  /** No call before then, ms since 1970. */
  pausedUntil: number
  failures: number
  /** Its calls take long or fail, so it is worked on beside the others, not among them. */
  slow: boolean
  /** A call came to something, so EmailSendX accepts the key. */
  succeeded: boolean
  /** EmailSendX refuses the key. */
  parked?: { status: 401 | 403; reason: string }
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
  /** Short name of the lane (the start of the key's fingerprint), as `lanes.list` shows it. Never the key. */
  lane: string
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
  lane?: string
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
  /** Puts them back at the end of their lanes, as if they had arrived now. Rejected items stay where they are. */
  retry(filter: DeadLetterFilter): Promise<{ retried: number; kept: number }>
  purge(filter: DeadLetterFilter): Promise<number>
}

// ---------------------------------------------------------------------------------------------- lanes, as an operator sees them

export interface LaneStatus {
  /** Short name: the start of the key's fingerprint. */
  lane: string
  events: number
  held: number
  bytes: number
  deadLetters: number
  oldestArrivedAt?: number
  /** EmailSendX has accepted this key at least once. */
  proven: boolean
  parked?: { since: number; reason: string; nextTryAt: number }
}

export interface LaneDesk {
  list(filter?: { lane?: string; apiKey?: string; parked?: boolean }): Promise<LaneStatus[]>
  /** Lets parked lanes try again at once. Resolves to how many. */
  unpark(filter: { lane?: string; apiKey?: string }): Promise<number>
}
