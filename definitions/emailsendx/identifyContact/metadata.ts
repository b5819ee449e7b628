import { PayloadValidationError } from '@segment/actions-core'
import type { JSONObject, JSONValue } from '@segment/actions-core'
import { MAX_DEPTH, MAX_FIELD_KEY_LENGTH, MAX_KEY_LENGTH } from '../constants'
import { isObject } from '../errors'
import type { Payload } from './generated-types'

/** Traits that have a place of their own on the contact, in either spelling. All others become metadata. */
const NAMED_TRAITS = new Set(['email', 'firstName', 'first_name', 'lastName', 'last_name'])

/** Set on an object, this would be its prototype. The core drops such a trait, too. */
const PROTOTYPE = '__proto__'

/**
 * The metadata that traits become, without blank values: see the fields Nested Traits and Metadata Names. Of several traits
 * that come to one name, the one that has it itself keeps it; the others get a number, so that none is lost. Parts of a
 * nested trait come last.
 * @throws PayloadValidationError when a trait can't be stored.
 */
export function toMetadata(traits: JSONObject, nested: Payload['nestedTraits'], names: Payload['metadataNames']) {
  const toName = names === 'field_keys' ? toFieldKey : checkedKey
  const metadata: JSONObject = {}
  const renamed: Entry[] = []
  const parts: Entry[] = []
  for (const [trait, sent] of Object.entries(traits)) {
    if (NAMED_TRAITS.has(trait) || trait.trim() === '' || trait === PROTOTYPE) continue
    const value = withoutBlanks(sent, trait)
    if (value === undefined) continue
    if (isObject(value) && nested !== 'keep' && nested !== 'stringify') {
      flatten(value, trait, parts)
      continue
    }
    const name = toName(trait)
    const stored = nested === 'stringify' && typeof value === 'object' ? JSON.stringify(value) : value
    if (name === trait) metadata[name] = stored
    else renamed.push([name, stored])
  }
  for (const [part, value] of parts) {
    const name = toName(part)
    // The trait that has this name itself says the same, as far as one can tell.
    if (!has(metadata, name)) renamed.push([name, value])
  }
  for (const [name, value] of renamed) if (name !== '') metadata[freeName(name, metadata)] = value
  return metadata
}

type Entry = [name: string, value: JSONValue]

function freeName(name: string, metadata: JSONObject): string {
  let free = name
  for (let number = 2; has(metadata, free); number++) free = `${name}_${number}`
  return free
}

function has(metadata: JSONObject, name: string): boolean {
  return Object.prototype.hasOwnProperty.call(metadata, name)
}

function checkedKey(key: string): string {
  if (key.length > MAX_KEY_LENGTH) {
    throw new PayloadValidationError(
      `The trait "${key.slice(0, 40)}…" has a name of ${key.length} characters, at most ${MAX_KEY_LENGTH} are allowed.`
    )
  }
  return key
}

/**
 * A trait's name as the key of a custom field, which has 1 to 50 lower-case letters, digits and underscores and begins with
 * a letter (known from the vendor's client): `signupSource` is `signup_source`. Empty when no letter is left.
 */
export function toFieldKey(name: string): string {
  return name
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1_$2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1_$2')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[\d_]+|_$/g, '')
    .slice(0, MAX_FIELD_KEY_LENGTH)
    .replace(/_$/, '')
}

/** Arrays stay arrays: their places count. */
function flatten(value: JSONValue, prefix: string, into: Entry[]): void {
  if (!isObject(value)) into.push([prefix, value])
  else for (const [key, part] of Object.entries(value)) flatten(part, `${prefix}_${key}`, into)
}

/** The value without its blank parts, or undefined when nothing is left of it. */
function withoutBlanks(value: unknown, trait: string, depth = 0): JSONValue | undefined {
  if (typeof value === 'string') return value.trim() === '' ? undefined : value
  // JSON has no NaN and no Infinity: they would arrive as null and wipe the field.
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value === 'boolean') return value
  if (typeof value !== 'object' || value === null) return undefined
  if (depth > MAX_DEPTH) {
    throw new PayloadValidationError(`The trait "${trait.slice(0, 40)}" is nested more than ${MAX_DEPTH} levels deep.`)
  }
  if (Array.isArray(value)) {
    return value.map((item: JSONValue) => withoutBlanks(item, trait, depth + 1) ?? item)
  }
  let kept: JSONObject | undefined
  for (const [key, part] of Object.entries(value)) {
    const filled = key === PROTOTYPE ? undefined : withoutBlanks(part, trait, depth + 1)
    if (filled !== undefined) (kept ??= {})[key] = filled
  }
  return kept
}
