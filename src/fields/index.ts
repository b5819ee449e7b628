import type { Account } from '../account/account'
import { checkFiles, eventsIn, placeOf, readInput } from '../event-files'
import { createCustomField, listCustomFields } from './custom-fields'
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
 * @throws when a file can't be read; for what is no JSON in it, with file and line
 */
export async function compareFields(files: string[], account: Account, create: boolean): Promise<FieldsReport> {
  await checkFiles(files)
  const { traits, ...counts } = await traitsOf(eventsOf(files))
  const fields = planFields(traits, await listCustomFields(account))
  const created: string[] = []
  if (create) {
    for (const field of missingFields(fields)) if (await createCustomField(account, field)) created.push(field.key)
  }
  return { ...counts, fields, created }
}

async function* eventsOf(files: string[]): AsyncGenerator<unknown> {
  for await (const { file, entries } of readInput({ files, columns: {} })) {
    for (const entry of entries) {
      if ('problem' in entry) throw new Error(`${placeOf(file, entry)}: ${entry.problem}`)
      yield* eventsIn(entry.value)
    }
  }
}
