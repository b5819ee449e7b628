import { MAX_CONTACTS_PER_CALL } from '../../definitions/emailsendx/constants'
import type { ContactRow } from '../../definitions/emailsendx/types'
import type { BridgeEvent, RejectedItem } from '../bridge/event'
import { contentId } from '../bridge/ingest/fields'
import type { EnqueueRequest } from '../bridge/queue'
import type { History } from './history'
import { BulkSize } from './plan'

/** What is put into the queue at once: one bulk call of contacts, some events, or some dead letters. */
export interface Portion extends EnqueueRequest {
  /** Makes sure that it is not taken again. */
  done(): void
  /** Requests that it takes at most, when EmailSendX answers. */
  maxCalls: number
}

interface PortionOptions {
  /** List that the contacts join. */
  listId?: string
  maxEvents: number
}

type Table = 'people' | 'firing' | 'problems'

/** Dead letters cost no calls. */
const MAX_REJECTED = 500

/** What comes next: all people before the first event, so that none is fired before its contact is there. Undefined: no more. */
export function nextPortion(history: History, { listId, maxEvents }: PortionOptions): Portion | undefined {
  return nextPeople(history, listId) ?? nextEvents(history, maxEvents) ?? nextProblems(history)
}

/** How many of these have been taken: their ids have no gaps. */
export function done(history: History, table: Table): number {
  return Number(history.get(`${table}_done`) ?? 0)
}

/** How much of what is to be sent has been taken. */
export function sent(history: History): number {
  return done(history, 'people') + done(history, 'firing')
}

/** Nothing of it is done after all. */
export function startOver(history: History): void {
  for (const table of ['people', 'firing', 'problems']) history.set(`${table}_done`, '0')
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
  const rest = history.rows<PersonRow>(
    `SELECT * FROM people WHERE id > ? ORDER BY id LIMIT ${MAX_CONTACTS_PER_CALL + 1}`,
    done(history, 'people')
  )
  for (const person of rest) {
    if (!size.fits(person.bytes) && people.length > 0) break
    people.push(person)
  }
  const run = history.get('run') ?? ''
  const events = people.map((person) => identifyOf(person, run, listId))
  return portionOf(history, 'people', people, { events, rejected: [], maxCalls: 1 })
}

function identifyOf(person: PersonRow, run: string, listId?: string): BridgeEvent {
  const { id, user, anonymous, at, place } = person
  const { email, firstName, lastName, metadata } = JSON.parse(person.contact) as ContactRow
  const ids = { ...(user !== null && { userId: user }), ...(anonymous !== null && { anonymousId: anonymous }) }
  const traits = { ...metadata, ...(firstName && { firstName }), ...(lastName && { lastName }), email }
  return {
    messageId: `replay-${run}-${id}`,
    type: 'identify',
    ...ids,
    email,
    event: { ...ids, traits, timestamp: new Date(at).toISOString(), replayedFrom: place },
    options: { isHistory: true, ...(listId !== undefined && { listId }) }
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
  const rest = 'SELECT * FROM firing WHERE id > ? ORDER BY id LIMIT ?'
  const rows = [...history.rows<EventRow>(rest, done(history, 'firing'), limit)]
  return portionOf(history, 'firing', rows, { events: rows.map(trackOf), rejected: [], maxCalls: 2 * rows.length })
}

function trackOf({ email, at, place, message_id: messageId, event }: EventRow): BridgeEvent {
  const content = JSON.parse(event) as { event: string; properties: Record<string, unknown> }
  return {
    messageId,
    type: 'track',
    email,
    event: { ...content, timestamp: new Date(at).toISOString(), replayedFrom: place },
    // If its contact were to come, it would be there by now.
    options: { unknownContact: 'skip' }
  }
}

interface ProblemRow {
  id: number
  place: string
  reason: string
  item: string
}

function nextProblems(history: History): Portion | undefined {
  const rest = 'SELECT * FROM problems WHERE id > ? ORDER BY id LIMIT ?'
  const rows = [...history.rows<ProblemRow>(rest, done(history, 'problems'), MAX_REJECTED)]
  const run = history.get('run') ?? ''
  const rejected = rows.map(({ id, place, reason, item }): RejectedItem => {
    return { messageId: contentId([run, id]), reason: `${place}: ${reason}`, item: JSON.parse(item) as unknown }
  })
  return portionOf(history, 'problems', rows, { events: [], rejected, maxCalls: 0 })
}

function portionOf(
  history: History,
  table: Table,
  rows: { id: number }[],
  portion: Omit<Portion, 'done'>
): Portion | undefined {
  const last = rows[rows.length - 1]
  return last && { ...portion, done: () => history.set(`${table}_done`, String(last.id)) }
}
