import { assumed } from './assumptions'
import { ApiError } from './http'
import { newId } from './ids'
import { fromJson } from './store'
import type { Workspace } from './workspace'

export const FIELD_TYPES = ['text', 'number', 'date', 'boolean', 'single_select'] as const
type FieldType = (typeof FIELD_TYPES)[number]

/** The definition of a contact attribute; its values live in the contacts' metadata under `key`. */
interface CustomField {
  id: string
  key: string
  label: string
  type: FieldType
  mergeTag: string
  /** Only for `single_select`. */
  options?: string[]
}

interface FieldRow {
  id: string
  key: string
  label: string
  type: FieldType
  options: string
}

function fromRow({ id, key, label, type, options }: FieldRow): CustomField {
  const field = { id, key, label: fromJson<string>(label), type, mergeTag: `{{contact.custom.${key}}}` }
  return type === 'single_select' ? { ...field, options: fromJson(options) } : field
}

/** All of them, oldest first. */
export function listCustomFields({ store }: Workspace): CustomField[] {
  return store.all<FieldRow>('SELECT id, key, label, type, options FROM custom_fields ORDER BY seq').map(fromRow)
}

/** @throws ApiError 400 when the key is taken */
export function createCustomField(
  { store }: Workspace,
  field: Omit<FieldRow, 'id' | 'options'> & { options: string[] }
) {
  const row = { ...field, id: newId(), label: JSON.stringify(field.label), options: JSON.stringify(field.options) }
  const created = store.run(
    'INSERT OR IGNORE INTO custom_fields (id, key, label, type, options) VALUES (?, ?, ?, ?, ?)',
    row.id,
    row.key,
    row.label,
    row.type,
    row.options
  )
  if (!created) throw new ApiError(assumed.customFieldExists.value, 'key exists already')
  return fromRow(row)
}
