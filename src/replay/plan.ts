import sum from 'lodash/sum'
import { MAX_BODY_BYTES, MAX_CONTACTS_PER_CALL } from '../../definitions/emailsendx/constants'
import { normalizeEventName } from '../../definitions/emailsendx/trackEvent/event'
import type { History } from './history'
import { settle } from './people'
import type { Input } from '../event-files'
import { record } from './record'
import type { Counts } from './record'

/** What a replay will do. */
export interface Plan {
  read: Counts
  /** Contacts to be created or updated: all identifies of one address become one. */
  people: number
  /** What can't be sent, by why. */
  undeliverable: { count: number; reasons: Reason[] }
  /** Events to be fired; `names` are those that automations wait for, in EmailSendX's normal form. */
  firing: {
    since?: string
    count: number
    people: number
    duplicates: number
    names: { name: string; count: number }[]
  }
  /**
   * `key`: the one that asks whether EmailSendX knows the key. `pages`: of a hundred contacts each, when learning their ids like
   * that takes fewer calls than looking them up; as many as there are when EmailSendX has no other contacts.
   */
  calls: { key: number; contacts: number; pages: number; lookUps: number; events: number; total: number }
}

export interface Reason {
  reason: string
  count: number
  /** `file:line` of the first ones. */
  places: string[]
}

export interface PlanOptions extends Input {
  /** Tracks from this time on are fired, ms since 1970; absent: none. */
  fireSince?: number
  /** The bridge's store it goes through; absent: a queue of its own. */
  store?: string
}

const CONTACTS_A_PAGE = 100

/** Reasons and places that are listed; the counts are of all. */
const MAX_REASONS = 1_000
const MAX_PLACES = 10_000
const MAX_NAMES = 10_000

/** Reads everything, and works out what is to be sent. @throws when the input is of no use */
export async function makePlan(history: History, { fireSince, store, ...input }: PlanOptions): Promise<Plan> {
  const read = await record(history, input, { fireSince, now: new Date() })
  const { duplicates } = settle(history)
  const people = history.count('people')
  const firing = firingOf(history)
  // A bridge learns the ids of contacts itself, as events come.
  const finding =
    store === undefined ? findingCalls(history, people, firing.people) : { pages: 0, lookUps: firing.people }
  const calls = { key: 1, contacts: bulkCalls(history), ...finding, events: firing.count }
  return {
    read,
    people,
    undeliverable: problemsOf(history),
    firing: { ...(fireSince !== undefined && { since: new Date(fireSince).toISOString() }), ...firing, duplicates },
    calls: { ...calls, total: sum(Object.values(calls)) }
  }
}

/** Hours that calls take at so many a minute. */
export function hoursFor(calls: number, budget: number): number {
  return calls / budget / 60
}

/** Where a bulk call is full: the destination makes calls of as many contacts and bytes. */
export class BulkSize {
  private contacts = 0
  private bytes = 0

  /** Whether the next contact still fits in; if not, it is the first of the next call. */
  fits(bytes: number): boolean {
    const fits = this.contacts < MAX_CONTACTS_PER_CALL && this.bytes + bytes + 1 <= MAX_BODY_BYTES
    this.contacts = fits ? this.contacts + 1 : 1
    this.bytes = fits ? this.bytes + bytes + 1 : bytes + 1
    return fits
  }
}

function bulkCalls(history: History): number {
  const size = new BulkSize()
  let calls = 0
  for (const { bytes } of history.rows<{ bytes: number }>('SELECT bytes FROM people ORDER BY id')) {
    if (!size.fits(bytes) || calls === 0) calls++
  }
  return calls
}

/** What it takes to learn the ids of the contacts that events are fired at: reading all contacts, or looking up each. */
function findingCalls(history: History, people: number, fired: number): { pages: number; lookUps: number } {
  const pages = Math.ceil(people / CONTACTS_A_PAGE)
  if (pages >= fired) return { pages: 0, lookUps: fired }
  const strangers = `firing WHERE email NOT IN (SELECT contact ->> 'email' FROM people)`
  const lookUps = history.count(strangers, 'DISTINCT email')
  return pages + lookUps < fired ? { pages, lookUps } : { pages: 0, lookUps: fired }
}

function firingOf(history: History): Pick<Plan['firing'], 'count' | 'people' | 'names'> {
  const counts = new Map<string, number>()
  const names = history.rows<{ name: string; count: number }>(
    `SELECT event ->> 'event' AS name, COUNT(*) AS count FROM firing GROUP BY 1 ORDER BY 2 DESC LIMIT ${MAX_NAMES}`
  )
  for (const { name, count } of names) {
    const normal = normalizeEventName(name)
    counts.set(normal, (counts.get(normal) ?? 0) + count)
  }
  return {
    count: history.count('firing'),
    people: history.count('firing', 'DISTINCT email'),
    names: [...counts].map(([name, count]) => ({ name, count })).sort((a, b) => b.count - a.count)
  }
}

function problemsOf(history: History): Plan['undeliverable'] {
  const reasons = [
    ...history.rows<{ reason: string; count: number }>(
      `SELECT reason, COUNT(*) AS count FROM problems GROUP BY reason ORDER BY count DESC LIMIT ${MAX_REASONS}`
    )
  ].map((reason) => ({ ...reason, places: [] as string[] }))
  const byReason = new Map(reasons.map((reason) => [reason.reason, reason]))
  for (const { reason, place } of history.rows<{ reason: string; place: string }>(
    `SELECT reason, place FROM problems ORDER BY id LIMIT ${MAX_PLACES}`
  )) {
    byReason.get(reason)?.places.push(place)
  }
  return { count: history.count('problems'), reasons }
}
