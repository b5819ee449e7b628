import type { JSONObject } from '@segment/actions-core'
import { toMetadata } from '../../definitions/emailsendx/identifyContact/metadata'
import { isObject, type JsonObject } from '../http/json'

/** The types a custom field can have that a trait can tell; there is `single_select`, too. */
export type FieldType = 'text' | 'number' | 'boolean' | 'date'

const ISO_DATE = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/

/** One trait as it would arrive in EmailSendX. */
export interface Trait {
  /** Its name in the contact's metadata; that of a nested trait is spread, `address_city`. */
  name: string
  /** In how many events it was seen. */
  seen: number
  /** What fits all values seen. */
  type: FieldType
}

export interface Traits {
  /** Events with traits. */
  identifies: number
  /** Events whose traits the destination refuses, such as one with an empty name. */
  refused: number
  /** The most frequent first. */
  traits: Trait[]
}

/** Which traits the identifies among the events would bring, apart from email and names, which have fields of their own. */
export async function traitsOf(events: AsyncIterable<unknown>): Promise<Traits> {
  const found = new Map<string, Trait>()
  let identifies = 0
  let refused = 0
  for await (const event of events) {
    const traits = isObject(event) && event.type === 'identify' ? traitsIn(event) : undefined
    if (!traits) continue
    identifies++
    const metadata = metadataOf(traits)
    if (!metadata) refused++
    for (const [name, value] of Object.entries(metadata ?? {})) {
      const seen = found.get(name)
      const type = fieldType(value)
      if (!seen) found.set(name, { name, seen: 1, type })
      else {
        seen.seen++
        if (seen.type !== type) seen.type = 'text'
      }
    }
  }
  const traits = [...found.values()].sort((a, b) => b.seen - a.seen || (a.name < b.name ? -1 : 1))
  return { identifies, refused, traits }
}

/** RudderStack has them in the context, as the default mapping knows. */
function traitsIn({ traits, context }: JsonObject): JsonObject | undefined {
  const found = traits ?? (isObject(context) ? context.traits : undefined)
  return isObject(found) ? found : undefined
}

/** The destination's own answer to what becomes of traits; undefined when it refuses them. */
function metadataOf(traits: JsonObject): JsonObject | undefined {
  try {
    return toMetadata(traits as JSONObject, 'flatten', undefined)
  } catch {
    return undefined
  }
}

/** The type that fits a value; text fits all. */
function fieldType(value: unknown): FieldType {
  if (typeof value === 'number' || typeof value === 'boolean') return typeof value as 'number' | 'boolean'
  return typeof value === 'string' && ISO_DATE.test(value) ? 'date' : 'text'
}
