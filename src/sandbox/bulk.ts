import { contactInput, upsertContact, type ContactInput } from './contacts'
import { check } from './http'
import { addMember } from './lists'
import type { Workspace } from './workspace'

/** What a bulk upsert answers inside `data`. */
interface BulkResult {
  summary: { created: number; updated: number; skipped: number; failed: number }
  errors: { message: string }[]
}

/**
 * Each row has its own fate: good rows are applied, bad ones counted and explained, and of several rows with one email
 * only the last is applied.
 * @param listId an existing list that every applied row joins
 */
export function upsertContacts(workspace: Workspace, rows: unknown[], listId?: string): BulkResult {
  const summary = { created: 0, updated: 0, skipped: 0, failed: 0 }
  const errors: BulkResult['errors'] = []
  const inputs = new Map<string, ContactInput>()
  for (const row of rows) {
    const checked = checkRow(workspace, row)
    if (!checked.ok) {
      summary.failed += 1
      errors.push({ message: checked.message })
      continue
    }
    if (inputs.has(checked.value.email)) summary.skipped += 1
    inputs.set(checked.value.email, checked.value)
  }
  for (const input of inputs.values()) {
    const { contact, created } = upsertContact(workspace, input)
    summary[created ? 'created' : 'updated'] += 1
    if (listId !== undefined) addMember(workspace, listId, contact)
  }
  return { summary, errors }
}

function checkRow({ faults }: Workspace, row: unknown) {
  const checked = check(contactInput, row, 'contact')
  const refusal = checked.ok && faults.refusal(checked.value.email)
  return refusal ? { ok: false as const, message: refusal } : checked
}
