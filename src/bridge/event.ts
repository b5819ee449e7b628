import type { JsonObject } from '../http/json'

/** What the catalog destination has as mapping choices, given here per request (query parameter or header). */
export interface DeliveryOptions {
  /** List the identified contacts join; absent: none. */
  listId?: string
  /** `normalized` (default): `Purchase Completed` is sent as `purchase_completed`. `as_sent`: untouched. */
  eventNameForm?: 'normalized' | 'as_sent'
  /** What to do with an event whose contact does not exist: see the destination's field of the same name. */
  unknownContact?: 'wait' | 'create' | 'skip'
  /** Events older than this many hours become dead letters instead of starting automations. */
  maxAgeHours?: number
  /** From a replay, never from a sender: leaves alone what live identifies have set. */
  isHistory?: true
}

/** One identify or track call in Segment's spelling, whatever sender and shape it came in. */
export interface BridgeEvent {
  /** The sender's messageId (at most 100 characters), or a hash of the event when it had none. De-duplication key within a partition. */
  messageId: string
  type: 'identify' | 'track'
  userId?: string
  anonymousId?: string
  /** The address found in the event itself, trimmed and lower-cased; absent when only the identity store can know it. */
  email?: string
  /** The address is the userId, for want of another: what an identify has told of this userId counts more. */
  emailIsUserId?: true
  /** What is wrong with what the event has for an address, in the destination's words. Nobody else's will do then. */
  emailProblem?: string
  /** The whole event, normalised, as the destination's mapping reads it. */
  event: JsonObject
  options: DeliveryOptions
}

/** An item of a batch that can never be delivered: kept as a dead letter, its neighbours go on. */
export interface RejectedItem {
  messageId: string
  reason: string
  item: unknown
}
