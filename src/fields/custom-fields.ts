import { z } from 'zod'
import { dataOf, refusalOf, type Account } from '../account/account'
import type { FieldType } from './traits'

const customFields = z.array(z.looseObject({ key: z.string() }))
export type CustomField = z.output<typeof customFields>[number]

/** Each creation is a call of its own, and 120 are allowed in a minute. */
const MAX_RETRIES = 3

/**
 * The custom fields of a workspace. Known from the vendor's client, which reads them in one page.
 * @throws with what to do when the key may not read them, or the server does not have them
 */
export async function listCustomFields(account: Account): Promise<CustomField[]> {
  const answer = await account.call('GET', 'custom-fields', { retries: MAX_RETRIES })
  if (answer.status === 401) throw new Error(`the API key is refused: ${refusalOf(answer)}`)
  if (answer.status === 403) throw new Error(`the API key needs the scope custom_fields:read: ${refusalOf(answer)}`)
  const fields = customFields.safeParse(dataOf(answer))
  if (answer.status !== 200 || !fields.success) {
    throw new Error(`${account.origin} does not list custom fields: ${refusalOf(answer)}`)
  }
  return fields.data
}

/**
 * Creates a custom field. @returns false when one with the key was there already
 * @throws when it can't be created
 */
export async function createCustomField(
  account: Account,
  field: { key: string; label: string; type: FieldType }
): Promise<boolean> {
  const answer = await account.call('POST', 'custom-fields', { json: field, retries: MAX_RETRIES })
  if (answer.status >= 200 && answer.status < 300) return true
  if (answer.status === 403) throw new Error(`the API key needs the scope custom_fields:write: ${refusalOf(answer)}`)
  // Nobody documents the answer to a key that is taken.
  const taken =
    [400, 409, 422].includes(answer.status) && (await listCustomFields(account)).some(({ key }) => key === field.key)
  if (taken) return false
  throw new Error(`the custom field ${field.key} can't be created: ${refusalOf(answer)}`)
}
