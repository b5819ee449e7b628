import { MAX_BODY_BYTES } from '../../definitions/emailsendx/constants'
import { mergeContacts, toContact } from '../../definitions/emailsendx/identifyContact/contact'
import type { ContactRow } from '../../definitions/emailsendx/types'
import type { History } from './history'
import type { Said } from './record'

const TOO_LARGE = `a contact with more than ${MAX_BODY_BYTES / 1e6} MB of traits, all its identify() calls together`
const NOBODYS = 'no address, and no identify() in these files says whose userId or anonymousId it is'

/** Works out what is to be sent from what was read: one contact for each address, and the events to be fired, in order. */
export function settle(history: History): { duplicates: number } {
  history.flush()
  findAddresses(history)
  collapse(history)
  history.flush()
  const tracks = history.run(`INSERT OR IGNORE INTO firing (email, at, place, message_id, event)
    SELECT email, at, place, message_id, event FROM tracks WHERE email IS NOT NULL ORDER BY at, id`)
  return { duplicates: history.count('tracks WHERE email IS NOT NULL') - tracks }
}

/**
 * As the bridge does it for live events: an event without an address is of whom its userId, else its anonymousId, was
 * identified as last before it, else next after it.
 */
function findAddresses(history: History): void {
  const lacking = ['identifies', 'tracks'].map((table) => `SELECT 1 FROM ${table} WHERE email IS NULL`)
  if (!history.row(`${lacking.join(' UNION ALL ')} LIMIT 1`)) return
  for (const id of ['user', 'anonymous']) {
    history.run(`CREATE INDEX identifies_${id} ON identifies (${id}, at) WHERE ${id} IS NOT NULL AND email IS NOT NULL`)
  }
  // An identify that is recognised by its userId tells of its anonymousId in turn.
  let found: number
  do {
    found = findIn('identifies', history)
  } while (found > 0)
  findIn('tracks', history)
  history.run(
    `INSERT INTO problems SELECT NULL, said ->> 'place', ?, json_object('traits', said -> 'traits') FROM identifies
      WHERE email IS NULL UNION ALL SELECT NULL, place, ?, event FROM tracks WHERE email IS NULL`,
    NOBODYS,
    NOBODYS
  )
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

interface Person extends Omit<Said, 'traits'> {
  email: string
  at: number
  contact: ContactRow
}

/** All identifies of an address become one contact, the later values over the earlier ones, as if all had been sent. */
function collapse(history: History): void {
  let person: Person | undefined
  const rows = history.rows<{ email: string; at: number; said: string }>(
    'SELECT email, at, said FROM identifies WHERE email IS NOT NULL ORDER BY email, at, id'
  )
  for (const { email, at, said } of rows) {
    if (person && person.email !== email) {
      add(history, person)
      person = undefined
    }
    const { user, anonymous, place, leaves, traits } = JSON.parse(said) as Said
    try {
      const next = { email, at, user, anonymous, place, leaves, contact: toContact({ email, traits }) }
      person = person ? merged(person, next) : next
    } catch (error) {
      history.addProblem(place, (error as Error).message, { traits })
    }
  }
  if (person) add(history, person)
}

function merged(person: Person, next: Person): Person {
  return {
    ...next,
    user: next.user ?? person.user,
    anonymous: next.anonymous ?? person.anonymous,
    leaves: next.leaves && person.leaves,
    contact: mergeContacts(person.contact, next.contact)
  }
}

function add(history: History, { email, user, anonymous, at, place, contact, leaves }: Person): void {
  // Somebody who is only known to have left an audience is made no contact.
  if (leaves) return
  const text = JSON.stringify(contact)
  const bytes = Buffer.byteLength(text)
  if (bytes >= MAX_BODY_BYTES) return history.addProblem(place, TOO_LARGE, { email })
  history.insert('people', at, user, anonymous, place, text, bytes)
}
