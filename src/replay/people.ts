import { MAX_BODY_BYTES } from '../../definitions/emailsendx/constants'
import { mergeContacts, toContact } from '../../definitions/emailsendx/identifyContact/contact'
import type { ContactRow } from '../../definitions/emailsendx/types'
import type { History } from './history'

const TOO_LARGE = `a contact with more than ${MAX_BODY_BYTES / 1e6} MB of traits, all its identify() calls together`
const NOBODYS = 'no address, and no identify() in these files says whose userId or anonymousId it is'

/** Works out what is to be sent from what was read: one contact for each address, and the events to be fired, in order. */
export function settle(history: History): { duplicates: number } {
  findAddresses(history)
  collapse(history)
  const tracks = history.run(`INSERT OR IGNORE INTO firing (email, at, place, message_id, event)
    SELECT email, at, place, message_id, event FROM tracks WHERE email IS NOT NULL ORDER BY at, id`)
  const read = history.row<{ count: number }>('SELECT COUNT(*) AS count FROM tracks WHERE email IS NOT NULL')
  return { duplicates: (read?.count ?? 0) - tracks }
}

/**
 * As the bridge does it for live events: an event without an address is of whom its userId, else its anonymousId, was
 * identified as last before it, else next after it.
 */
function findAddresses(history: History): void {
  for (const id of ['user', 'anonymous']) {
    history.run(`CREATE INDEX identifies_${id} ON identifies (${id}, at) WHERE ${id} IS NOT NULL AND email IS NOT NULL`)
  }
  // An identify that is recognised by its userId tells of its anonymousId in turn.
  let found: number
  do {
    found = findIn('identifies', history)
  } while (found > 0)
  findIn('tracks', history)
  for (const table of ['identifies', 'tracks']) {
    const item = table === 'identifies' ? `json_object('traits', json(traits))` : 'event'
    history.run(`INSERT INTO problems SELECT NULL, place, ?, ${item} FROM ${table} WHERE email IS NULL`, NOBODYS)
  }
}

function findIn(table: 'identifies' | 'tracks', history: History): number {
  const look = (id: string, side: string, order: string) =>
    `(SELECT known.email FROM identifies AS known WHERE known.${id} = ${table}.${id} AND known.${id} IS NOT NULL
      AND known.email IS NOT NULL AND known.at ${side} ${table}.at ORDER BY known.at ${order} LIMIT 1)`
  history.run(`UPDATE ${table} SET found = COALESCE(
    ${look('user', '<=', 'DESC')}, ${look('anonymous', '<=', 'DESC')},
    ${look('user', '>', 'ASC')}, ${look('anonymous', '>', 'ASC')}) WHERE email IS NULL`)
  return history.run(`UPDATE ${table} SET email = found WHERE email IS NULL AND found IS NOT NULL`)
}

interface IdentifyRow {
  email: string
  user: string | null
  anonymous: string | null
  at: number
  place: string
  traits: string
  /** 1: it says that the person has left an audience of Engage. */
  leaves: number
}

type Person = Omit<IdentifyRow, 'traits'> & { contact: ContactRow }

/** All identifies of an address become one contact, the later values over the earlier ones, as if all had been sent. */
function collapse(history: History): void {
  let person: Person | undefined
  const rows = history.rows<IdentifyRow>(
    'SELECT email, user, anonymous, at, place, traits, leaves FROM identifies WHERE email IS NOT NULL ORDER BY email, at, id'
  )
  for (const { traits, ...row } of rows) {
    if (person && person.email !== row.email) {
      add(history, person)
      person = undefined
    }
    const parsed = JSON.parse(traits) as Record<string, unknown>
    try {
      const contact = toContact({ email: row.email, traits: parsed })
      person = {
        ...row,
        user: row.user ?? person?.user ?? null,
        anonymous: row.anonymous ?? person?.anonymous ?? null,
        leaves: Math.min(row.leaves, person?.leaves ?? 1),
        contact: person ? mergeContacts(person.contact, contact) : contact
      }
    } catch (error) {
      history.addProblem(row.place, (error as Error).message, { traits: parsed })
    }
  }
  if (person) add(history, person)
}

function add(history: History, { email, user, anonymous, at, place, contact, leaves }: Person): void {
  // Of whom nothing else is known, nobody makes a contact on the way out.
  if (leaves === 1) return
  const text = JSON.stringify(contact)
  const bytes = Buffer.byteLength(text)
  if (bytes >= MAX_BODY_BYTES) return history.addProblem(place, TOO_LARGE, { email })
  history.run('INSERT INTO people VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)', email, user, anonymous, at, place, text, bytes)
}
