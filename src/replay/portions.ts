import type { BridgeEvent, RejectedItem } from '../bridge/event'
import type { EnqueueRequest } from '../bridge/queue'
import { contentId } from '../bridge/ingest/fields'
import type { ContactRow } from '../../definitions/emailsendx/types'
import type { History } from './history'
import { BulkSize } from './plan'

/** What is put into the queue at once: one bulk call of contacts, some events, or some dead letters. */
export interface Portion extends EnqueueRequest {
  /** Makes sure that it is not taken again. */
  done(): void
}

/** Dead letters cost no calls. */
const MAX_REJECTED = 500

/** What comes next: all people before the first event, so that none meets an event before its contact. Undefined: no more. */
export function nextPortion(history: History, { listId, maxEvents }: { listId?: string; maxEvents: number }) {
  return nextPeople(history, listId) ?? nextEvents(history, maxEvents) ?? nextProblems(history)
}

interface PersonRow {
  id: number
  user: string | null
  anonymous: string | null
  at: number
  place: string
  contact: string
  bytes: number
}

function nextPeople(history: History, listId?: string): Portion | undefined {
  const size = new BulkSize()
  const people: PersonRow[] = []
  for (const person of history.rows<PersonRow>(
    'SELECT * FROM people WHERE id > ? ORDER BY id',
    done(history, 'people')
  )) {
    if (!size.fits(person.bytes) && people.length > 0) break
    people.push(person)
  }
  const run = history.get('run') ?? ''
  return portion(history, 'people', people, {
    events: people.map((person) => identifyOf(person, run, listId)),
    rejected: []
  })
}

function identifyOf({ id, user, anonymous, at, place, contact }: PersonRow, run: string, listId?: string): BridgeEvent {
  const { email, firstName, lastName, metadata } = JSON.parse(contact) as ContactRow
  const ids = { ...(user !== null && { userId: user }), ...(anonymous !== null && { anonymousId: anonymous }) }
  const traits = { ...metadata, ...(firstName && { firstName }), ...(lastName && { lastName }), email }
  return {
    messageId: `replay-${run}-${id}`,
    type: 'identify',
    ...ids,
    email,
    event: { ...ids, traits, timestamp: new Date(at).toISOString(), replayedFrom: place },
    options: listId === undefined ? {} : { listId }
  }
}

interface EventRow {
  id: number
  email: string
  at: number
  place: string
  message_id: string
  event: string
}

function nextEvents(history: History, limit: number): Portion | undefined {
  const rows = [
    ...history.rows<EventRow>('SELECT * FROM firing WHERE id > ? ORDER BY id LIMIT ?', done(history, 'firing'), limit)
  ]
  return portion(history, 'firing', rows, { events: rows.map(trackOf), rejected: [] })
}

function trackOf({ email, at, place, message_id: messageId, event }: EventRow): BridgeEvent {
  const content = JSON.parse(event) as { event: string; properties: Record<string, unknown> }
  return {
    messageId,
    type: 'track',
    email,
    event: { ...content, timestamp: new Date(at).toISOString(), replayedFrom: place },
    // Its contact was there to be created a moment ago, so waiting is of no use.
    options: { unknownContact: 'skip' }
  }
}

function nextProblems(history: History): Portion | undefined {
  const rows = [
    ...history.rows<{ id: number; place: string; reason: string; item: string }>(
      'SELECT * FROM problems WHERE id > ? ORDER BY id LIMIT ?',
      done(history, 'problems'),
      MAX_REJECTED
    )
  ]
  const run = history.get('run') ?? ''
  const rejected = rows.map(({ id, place, reason, item }): RejectedItem => {
    return { messageId: contentId([run, id]), reason: `${place}: ${reason}`, item: JSON.parse(item) as unknown }
  })
  return portion(history, 'problems', rows, { events: [], rejected })
}

/** The last row that has been taken. */
export function done(history: History, table: 'people' | 'firing' | 'problems'): number {
  return Number(history.get(`${table}_done`) ?? 0)
}

function portion(
  history: History,
  table: 'people' | 'firing' | 'problems',
  rows: { id: number }[],
  request: EnqueueRequest
): Portion | undefined {
  const last = rows[rows.length - 1]
  return last && { ...request, done: () => history.set(`${table}_done`, String(last.id)) }
}
