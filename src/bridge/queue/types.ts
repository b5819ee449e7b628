import type { BridgeEvent, RejectedItem } from '../event'

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
  /** Partitions whose API key EmailSendX has accepted before, and refuses now. */
  suspendedPartitions: number
  /** Partitions whose API key EmailSendX has never accepted. */
  unprovenPartitions: number
  /** Message ids remembered, to tell duplicates. */
  messageIds: number
  /** Ids of users whose address is remembered. */
  identityLinks: number
  /** Arrival of the oldest event that is not deferred, ms since 1970; absent when there is none. */
  oldestArrivedAt?: number
}

export interface Pruned {
  /** Forgotten message ids. */
  messageIds: number
  /** Forgotten addresses and contact ids of users. */
  identities: number
  /** Deleted dead letters. */
  deadLetters: number
  /** Events made dead letters because their key stayed refused. */
  keyRefused: number
  /** Forgotten partitions whose key never worked. */
  partitions: number
}

// ---------------------------------------------------------------------------------------------- partitions, as a worker sees them

/** Which partitions are worked on apart from which: those of unknown keys, those whose calls are slow or fail, the others. */
export type Pool = 'normal' | 'slow' | 'unproven'

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
  pool: Pool
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
 * waits for its email blocks tracks, and is to be sent before the identify that brings the email.
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

/** What is remembered of users and of event names. */
export interface Known {
  /** The email that an id (by its key, see keys.ts) stands for. */
  emails: Map<string, string>
  /** The id of the contact in EmailSendX, by the key of its email. */
  contactIds: Map<string, string>
  /** Names of traits that live identifies have set, by the key of their email. */
  traits: Map<string, string[]>
  /** What is deferred and blocks others. */
  blocked: BlockedKey[]
}

/** What EmailSendX last said about an event name. */
export interface EventName {
  /** When, ms since 1970. */
  askedAt: number
  /** Automations that waited for it. */
  matches: number
}

/** What a worker has found out about events of its partition. They are all or nothing. */
export interface Ack {
  /** Tried in vain: counted as an attempt. May be named again below. */
  failed?: number[]
  delivered?: number[]
  dead?: Dead[]
  deferred?: Deferral[]
  /** Keys of userIds and anonymousIds, and the email they now stand for; when what tells it arrived, if not just now. */
  links?: { key: string; email: string; seenAt?: number }[]
  /** Keys of emails, and the contact they now stand for, if any. */
  contacts?: { key: string; contactId?: string }[]
  /** Keys of emails, and all traits that live identifies have set of them. */
  traits?: { key: string; names: string[] }[]
  /** Events that were fired by name, with the automations that waited for them, or passed over because none does. */
  fired?: { name: string; matches?: number; skipped?: boolean }[]
  /**
   * Everything deferred for these keys goes back into the queue, or just the first of each key (unless that waits for an
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
  /** EmailSendX refuses the key. A key that it has never accepted and does not know (401) loses all that came with it. */
  suspended?: { status: 401 | 403; reason: string }
  /** A call was made. */
  tried: boolean
}

// ---------------------------------------------------------------------------------------------- dead letters

/** Why an event will not be delivered. */
export const DEAD_REASONS = [
  /** Not an event at all, or one no delivery exists for: refused on arrival. */
  'rejected',
  /** EmailSendX, or the destination on its behalf, refused it for good. */
  'refused',
  /** Nobody told the email of its userId or anonymousId in time. */
  'unknown_email',
  /** No contact with its email appeared in time. */
  'unknown_contact',
  /** It may or may not have been fired (crash or lost answer), and the bridge is told not to send such events again. */
  'outcome_unknown',
  /** It failed again and again while its neighbours got through. */
  'gave_up',
  /** Its API key stayed refused for longer than events are kept. */
  'key_refused'
] as const
export type DeadReason = (typeof DEAD_REASONS)[number]

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
export interface DeadLetterFilter extends PartitionFilter {
  ids?: number[]
  reason?: DeadReason
  type?: DeadLetter['type']
  messageId?: string
  /** Died at or after / before, ms since 1970. */
  since?: number
  until?: number
}

// ---------------------------------------------------------------------------------------------- partitions, as an operator sees them

export interface PartitionFilter {
  /** Short name. */
  partition?: string
  apiKey?: string
}

export interface PartitionStatus {
  /** Short name: the start of the key's fingerprint. */
  partition: string
  /** How the API key begins, for people to recognise it by. */
  keyPrefix?: string
  events: number
  /** Of these, how many are deferred, in all and by what for. */
  deferred: number
  deferredFor: Partial<Record<DeferReason, number>>
  bytes: number
  /** Events delivered since the key was first seen. */
  delivered: number
  deadLetters: number
  oldestArrivedAt?: number
  /** When a call is made for it at the earliest; absent: nothing is to be done. */
  nextCallAt?: number
  /** EmailSendX has accepted this key at least once. */
  proven: boolean
  /** An operator has paused it. */
  paused: boolean
  suspended?: { since: number; reason: string; nextTryAt: number }
}

/** An event that waits, as an operator sees it. Times in ms since 1970. */
export interface WaitingEvent {
  id: number
  event: BridgeEvent
  arrivedAt: number
  attempts: number
  firstFailedAt?: number
  deferred?: { for: DeferReason; until: number }
}

/** What the calls for one event name came to. */
export interface EventNameReport {
  partition: string
  name: string
  /** Events fired. */
  calls: number
  /** Automations that waited for them, in all. */
  matched: number
  /** Events not fired, since nothing waits for the name. */
  skipped: number
}
