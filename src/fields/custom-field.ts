/** The types a custom field can have that a trait can tell; there is `single_select`, too. */
export type FieldType = 'text' | 'number' | 'boolean' | 'date'

const ISO_DATE = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/

/** `signup_source` as people would write it: `Signup source`. */
export function fieldLabel(key: string): string {
  const words = key.replaceAll('_', ' ')
  return words[0].toUpperCase() + words.slice(1)
}

/** The type that fits a value; text fits all. */
export function fieldType(value: unknown): FieldType {
  if (typeof value === 'number' || typeof value === 'boolean') return typeof value as 'number' | 'boolean'
  return typeof value === 'string' && ISO_DATE.test(value) ? 'date' : 'text'
}
