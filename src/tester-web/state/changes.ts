import { effect, signal } from '@preact/signals'
import { sandbox } from './sandbox'
import type { Contact, SandboxState } from './sandbox'

/** What is other about a contact than when it was last looked at. */
export interface Change {
  isNew: boolean
  /** Old and new value by name; undefined: there was none. */
  values: Record<string, [before: unknown, after: unknown]>
}

/** Changes seen within this time of each other belong together, such as those of one batch. */
const TOGETHER_MS = 4_000

/** What changed last, by id of the contact. It stands until something else changes. */
export const changes = signal<ReadonlyMap<string, Change>>(new Map())

const valuesOf = ({ firstName, lastName, status, metadata }: Contact): Record<string, unknown> => ({
  'First name': firstName ?? undefined,
  'Last name': lastName ?? undefined,
  Status: status,
  ...metadata
})

/** Compares each look into the sandbox with the one before. */
export function followContacts(): void {
  let before: SandboxState | undefined
  let known = new Map<string, Contact>()
  let seenAt = 0
  effect(() => {
    const now = sandbox.value
    if (!now) return
    const found = new Map<string, Change>()
    for (const contact of now.contacts) {
      const earlier = known.get(contact.id)
      const values = earlier ? difference(valuesOf(earlier), valuesOf(contact)) : {}
      // One that was beyond the rows that are shown is no new one; what was other about it is not known.
      const isLate = !earlier && before !== undefined && Date.parse(contact.updatedAt) >= before.lookedAt - 1_000
      const isNew = isLate && contact.createdAt === contact.updatedAt
      if (isLate || Object.keys(values).length > 0) found.set(contact.id, { isNew, values })
    }
    if (found.size > 0) {
      const isApart = Date.now() - seenAt > TOGETHER_MS
      changes.value = new Map([...(isApart ? [] : changes.peek()), ...found])
      seenAt = Date.now()
    }
    known = new Map([...known, ...now.contacts.map((contact) => [contact.id, contact] as const)])
    before = now
  })
}

function difference(before: Record<string, unknown>, after: Record<string, unknown>): Change['values'] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return Object.fromEntries(
    [...names]
      .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
      .map((name) => [name, [before[name], after[name]]])
  )
}
