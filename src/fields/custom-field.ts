/** The types a custom field can have that a trait can tell; there is `single_select`, too. */
export type FieldType = 'text' | 'number' | 'boolean' | 'date'

const MAX_KEY_CHARACTERS = 50
const ISO_DATE = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/

/**
 * A trait's name as the key of a custom field, which has 1 to 50 lower-case letters, digits and underscores and begins with
 * a letter (known from the vendor's client): `signupSource` is `signup_source`. Undefined when no letter is left.
 */
export function fieldKey(trait: string): string | undefined {
  const key = trait
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1_$2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1_$2')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[\d_]+|_+$/g, '')
    .slice(0, MAX_KEY_CHARACTERS)
    .replace(/_+$/, '')
  return key === '' ? undefined : key
}

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
