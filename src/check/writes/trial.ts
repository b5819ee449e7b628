import { rowsOf, type Answer } from '../../account/account'
import { isObject, type JsonObject } from '../../http/json'
import type { Ask } from '../ask'
import { NotTested } from '../ask'
import type { Seen } from '../report'

/** What may be written to: one contact, one list that exists. */
export interface WriteOptions {
  email: string
  listId: string
  /** Name of an event that an active automation waits for; undefined: nothing that starts any. */
  event?: string
}

export interface Trial extends WriteOptions {
  ask: Ask
  /** Tells this run's values from those of an earlier one. */
  run: string
  /** Whether the contact was there before. */
  existed: boolean
  /** What stays behind. */
  left: Set<string>
}

export type Question = (trial: Trial) => Promise<Seen>

/** The contact as it is now. @throws NotTested when there is none */
export async function contactNow(trial: Trial): Promise<JsonObject & { id: string; metadata: JsonObject }> {
  const contact = await findContact(trial)
  if (!contact || typeof contact.id !== 'string') throw new NotTested('the contact could not be created')
  return { ...contact, id: contact.id, metadata: isObject(contact.metadata) ? contact.metadata : {} }
}

export async function findContact({ ask, email }: Trial, listId?: string): Promise<JsonObject | undefined> {
  const query = { search: email.toLowerCase(), limit: 100, ...(listId !== undefined && { list_id: listId }) }
  const rows = rowsOf(await ask('GET', 'contacts', { query }))
  return rows.find((row) => typeof row.email === 'string' && row.email.toLowerCase() === email.toLowerCase())
}

export const upsert = (trial: Trial, fields: object): Promise<Answer> =>
  trial.ask('POST', 'contacts', { json: { email: trial.email, ...fields } })
