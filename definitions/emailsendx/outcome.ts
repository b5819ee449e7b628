import type { JSONLikeObject, JSONObject } from '@segment/actions-core'
import type { Pace } from './pace'

/**
 * What became of one event, of a closed set of kinds. Whoever delivers through this destination (Segment, the bridge, the
 * tester page) acts on the kind; `message` is for people only.
 */
export type Outcome = Delivered | Undelivered

export interface Delivered extends Report {
  kind: 'delivered'
  sent: JSONLikeObject
  answer: JSONObject
}

export type Undelivered = Report &
  (
    | {
        kind: /** This event can't ever be delivered as it is. */
        | 'invalid'
          /** Nobody it could belong to: no address, and no user id. */
          | 'unaddressed'
          /** EmailSendX refuses the API key. */
          | 'unauthorized'
          /** The API key lacks a scope. */
          | 'forbidden'
          /** The event may have been fired: a repeat may fire it a second time. */
          | 'unknown_effect'
      }
    /** EmailSendX has no such contact; it may come until the time given (ms since 1970), or is not waited for. */
    | { kind: 'unknown_contact'; waitsUntil?: number }
    /** Nothing happened, or nothing that a repeat would do twice. Not before so many ms are over, where the API said so. */
    | { kind: 'retry'; retryAfterMs?: number }
    /** A setting leads nowhere: the address of the server, or the list. Every event with it fails alike. */
    | { kind: 'misconfigured'; setting: 'apiUrl' | 'list' }
  )

interface Report {
  /** What Segment is told. By it, Segment decides whether to send the event again. */
  status: number
  /** One line: what is wrong, and what to do about it. Holds no address, key or trait. */
  message: string
  /** What EmailSendX was sent for this event, where it was asked. */
  sent?: JSONLikeObject
  /** What EmailSendX answered; text where it was no JSON. */
  answer?: Answer
  /** What the newest answer of EmailSendX said about the pace. */
  pace?: Pace
}

export type Answer = JSONObject | string

export function invalid(message: string, status = 400): Undelivered {
  return { kind: 'invalid', status, message }
}

export function unaddressed(message: string): Undelivered {
  return { kind: 'unaddressed', status: 400, message }
}

/** What a customer reads about an event that Segment keeps. Where there is no event, it is left out. */
export const AGAIN = 'The event will be sent again.'

/** `status`: 408, 429, 500, 502, 503 or 504, which Segment documents to send again. */
export function retry(message: string, status: number, retryAfterMs?: number): Undelivered {
  return { kind: 'retry', status, message, retryAfterMs }
}

/** A list that the workspace does not have. Every contact sent to that list fails alike. */
export function unknownList(listId: string, said = ''): Undelivered {
  return {
    kind: 'misconfigured',
    setting: 'list',
    status: 404,
    message: `The list "${listId}" does not exist in this EmailSendX workspace. Choose another in the mapping or in the Default List ID setting.${said}`
  }
}

export function unusableUrl(message: string, status = 400): Undelivered {
  return { kind: 'misconfigured', setting: 'apiUrl', status, message }
}

/** The outcome of a call that is about no event, in words that do not speak of one. */
export function withoutEvent(outcome: Undelivered): Undelivered {
  return { ...outcome, message: outcome.message.replace(` ${AGAIN}`, '') }
}
