import type { AudienceMembership, RequestClient } from '@segment/actions-core'
import { EmailSendX } from '../api'
import { NO_LIST } from '../constants'
import { outcomeOfError } from '../errors'
import type { Settings } from '../generated-types'
import { Memory } from '../memory'
import type { Outcome } from '../outcome'
import type { BulkTarget, ContactRow } from '../types'
import { passOver } from './audience'
import { BulkUpsert } from './bulk-upsert'
import { mergeContacts, toContact } from './contact'
import type { Payload } from './generated-types'
import { linkUserIds } from './link'
import type { Identified } from './link'

/** Contacts that can go in one call. */
interface Group {
  target: BulkTarget
  emails: Set<string>
  outcomes: Map<string, Outcome>
}

/**
 * Creates or updates the contacts of a batch, with as few calls as there are lists and full bulk calls.
 * @param memberships whether each is in the audience that its event is about; undefined where it is about none.
 * @returns one outcome for each payload, in their order.
 */
export async function identify(
  api: EmailSendX,
  payloads: Payload[],
  memberships: AudienceMembership[] = []
): Promise<Outcome[]> {
  const { settings } = api
  const memory = new Memory(settings)
  const contacts = new Map<string, ContactRow>()
  const groups = new Map<string, Group>()
  const joining = new Set<string>()
  const leaving = new Set<string>()

  const rows = payloads.map((payload, index): Outcome | { email: string; group: Group } => {
    try {
      const contact = toContact(payload, (ids) => memory.emailOf(ids))
      const { email } = contact
      const leaves = memberships[index] === false && payload.leavingAudience !== 'as_any'
      ;(leaves ? leaving : joining).add(email)
      // An email that comes twice is one contact with the later values on top, whatever lists its rows name.
      const earlier = contacts.get(email)
      contacts.set(email, earlier ? mergeContacts(earlier, contact) : contact)
      const group = groupOf(groups, toTarget(payload, settings, leaves))
      group.emails.add(email)
      return { email, group }
    } catch (error) {
      return outcomeOfError(error)
    }
  })

  const passedOver = await passOver(
    api,
    memory,
    [...leaving].filter((email) => !joining.has(email))
  )
  const upsert = new BulkUpsert(api)
  for (const group of groups.values()) {
    const members = [...contacts.values()].filter(({ email }) => group.emails.has(email) && !passedOver.has(email))
    group.outcomes = await upsert.send(members, group.target)
  }

  const identified: Identified[] = []
  const results = rows.map((row, index) => {
    if (!('email' in row)) return { outcome: row }
    const { email, group } = row
    const outcome = (passedOver.get(email) ?? group.outcomes.get(email)) as Outcome
    const result = { payload: payloads[index], email, outcome }
    if (!passedOver.has(email)) identified.push(result)
    return result
  })
  await linkUserIds(api, memory, identified)
  return results.map(({ outcome }) => outcome)
}

/** The same for programs, which can keep to the pace of the API: each outcome tells it. */
export async function identifyContacts(
  client: RequestClient,
  settings: Settings,
  payloads: Payload[],
  memberships?: AudienceMembership[]
): Promise<Outcome[]> {
  const api = new EmailSendX(client, settings)
  const outcomes = await identify(api, payloads, memberships)
  const { pace } = api
  return outcomes.map((outcome) => ({ ...outcome, pace }))
}

function groupOf(groups: Map<string, Group>, target: BulkTarget): Group {
  const key = `${target.listId ?? ''}\n${target.consentSource ?? ''}`
  let group = groups.get(key)
  if (!group) groups.set(key, (group = { target, emails: new Set(), outcomes: new Map() }))
  return group
}

/** The mapped list, else the default one, else none; blank is the same as not mapped. Who leaves an audience joins none. */
function toTarget(payload: Payload, settings: Settings, leaves: boolean): BulkTarget {
  const listId = payload.listId?.trim() || settings.defaultListId?.trim() || NO_LIST
  const consentSource = payload.consentSource?.trim()
  return { ...(listId !== NO_LIST && !leaves && { listId }), ...(consentSource && { consentSource }) }
}
