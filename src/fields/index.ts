import type { Account } from '../account/account'
import { createCustomField, listCustomFields } from './custom-fields'
import { readEvents } from './events'
import { missingFields, planFields, type PlannedField } from './plan'
import { traitsOf, type Traits } from './traits'

export interface FieldsReport extends Omit<Traits, 'traits'> {
  fields: PlannedField[]
  /** Keys of the custom fields made now. */
  created: string[]
}

/**
 * Compares the traits in the files with the custom fields of the account, which are what templates can show.
 * @param create makes those that are missing; a second time there is nothing left to make
 */
export async function compareFields(files: string[], account: Account, create: boolean): Promise<FieldsReport> {
  const { traits, ...counts } = await traitsOf(readAll(files))
  const fields = planFields(traits, await listCustomFields(account))
  const created: string[] = []
  if (create) {
    for (const field of missingFields(fields)) if (await createCustomField(account, field)) created.push(field.key)
  }
  return { ...counts, fields, created }
}

async function* readAll(files: string[]) {
  for (const file of files) yield* readEvents(file)
}
