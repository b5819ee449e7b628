import type { JSONObject } from '@segment/actions-core'

/*
 * What goes over the wire. Requests are typed to the letter; of the answers only the parts that are used, all optional,
 * because new fields may appear at any time (/docs/api) and some shapes are known from the vendor's client only.
 */

/** A row of `POST /contacts/bulk`, and the body of `POST /contacts`. There is no `status` here on purpose. */
export type ContactRow = {
  email: string
  firstName?: string
  lastName?: string
  metadata?: JSONObject
}

/** Where the contacts of a bulk call go. `consentSource` is known from the vendor's client only. */
export type BulkTarget = {
  listId?: string
  consentSource?: string
}

/** Body of `POST /contacts/{id}/events`. There is no field for the time: an event always happens now. */
export type CustomEvent = {
  name: string
  data?: JSONObject
}

/** Body of `POST /api/segment/track`: Segment's webhook payload, as far as it is known here. */
export type SegmentCall = {
  type: 'identify' | 'track'
  userId: string
  anonymousId?: string
  messageId?: string
  timestamp?: string | number
  traits?: { email: string }
  event?: string
  properties?: JSONObject
  context?: JSONObject
}

/** What `POST /contacts/bulk` says about its rows. An entry of `errors` is a text, or has one in `message`. */
export interface BulkReport {
  summary?: { failed?: number }
  errors?: unknown[]
}

export interface Contact {
  id?: string
  email?: string
}

export interface List {
  id?: string
  name?: string
  memberCount?: number
}
