import type { RequestClient } from '@segment/actions-core'
import { EmailSendX } from '../api'
import { NO_LIST } from '../constants'
import { outcomeOfError } from '../errors'
import type { Settings } from '../generated-types'
import { Memory } from '../memory'
import type { Outcome } from '../outcome'
import type { ContactRow } from '../types'
import { BulkUpsert } from './bulk-upsert'
import { mergeContacts, toContact } from './contact'
import { linkUserIds } from './link'
import type { Identified } from './link'
import type { Payload } from './generated-types'

/** Where the outcome of a payload is found. */
interface Addressed {
  email: string
  listId?: string
}

/**
 * Creates or updates the contacts of a batch, with as few calls as there are lists and full bulk calls.
 * @returns one outcome for each payload, in their order.
 */
export async function identifyContacts(
  client: RequestClient,
  settings: Settings,
  payloads: Payload[]
): Promise<Outcome[]> {
  const api = new EmailSendX(client, settings)
  const memory = new Memory(settings)
  const upsert = new BulkUpsert(api)
  const contacts = new Map<string, ContactRow>()
  const members = new Map<string | undefined, Set<string>>()

  const rows = payloads.map((payload): Outcome | Addressed => {
    try {
      const contact = toContact(payload, (ids) => memory.emailOf(ids))
      const { email } = contact
      const listId = toListId(payload, settings)
      // An email that comes twice is one contact with the later values on top, whatever lists its rows name.
      const earlier = contacts.get(email)
      contacts.set(email, earlier ? mergeContacts(earlier, contact) : contact)
      members.set(listId, (members.get(listId) ?? new Set()).add(email))
      return { email, listId }
    } catch (error) {
      return outcomeOfError(error)
    }
  })

  for (const [listId, emails] of members) {
    await upsert.send(
      [...contacts.values()].filter(({ email }) => emails.has(email)),
      listId
    )
  }

  const identified: Identified[] = []
  const results = rows.map((row, index) => {
    if (!('email' in row)) return { outcome: row }
    const result = { payload: payloads[index], email: row.email, outcome: upsert.outcomeOf(row.email, row.listId) }
    identified.push(result)
    return result
  })
  await linkUserIds(api, memory, identified)
  return results.map(({ outcome }) => ({ ...outcome, pace: api.pace }))
}

/** The mapped list, else the default one, else none. Blank is the same as not mapped. */
function toListId(payload: Payload, settings: Settings): string | undefined {
  const listId = payload.listId?.trim() || settings.defaultListId?.trim() || NO_LIST
  return listId === NO_LIST ? undefined : listId
}
