import groupBy from 'lodash/groupBy'
import { toFieldKey } from '../../definitions/emailsendx/identifyContact/metadata'
import type { CustomField } from './custom-fields'
import type { FieldType, Trait } from './traits'

export interface PlannedField extends Trait {
  /** What the trait needs so that a template can show it. */
  need: 'exists' | 'missing' | 'collides' | 'no key'
  /** Key of the custom field; undefined when none can be made of the name. */
  key?: string
  /** Other traits whose names give the same key: only one of them could be shown. */
  collidesWith: string[]
}

/** For each trait, whether a custom field waits for it. */
export function planFields(traits: Trait[], existing: CustomField[]): PlannedField[] {
  const keys = new Set(existing.map(({ key }) => key))
  const named = groupBy(traits, ({ name }) => toFieldKey(name))
  return traits.map((trait) => {
    const key = toFieldKey(trait.name)
    if (key === '') return { ...trait, need: 'no key', collidesWith: [] }
    const others = named[key].map(({ name }) => name).filter((name) => name !== trait.name)
    const need = keys.has(key) ? 'exists' : others.length > 0 ? 'collides' : 'missing'
    return { ...trait, key, need, collidesWith: others }
  })
}

/** The fields to create, each once. Of traits that collide none is: whose values it would show is for people to decide. */
export function missingFields(planned: PlannedField[]): { key: string; label: string; type: FieldType }[] {
  return planned.flatMap(({ need, key, type }) =>
    need === 'missing' && key !== undefined ? [{ key, label: fieldLabel(key), type }] : []
  )
}

/** `signup_source` as people would write it: `Signup source`. */
export function fieldLabel(key: string): string {
  const words = key.replaceAll('_', ' ')
  return words[0].toUpperCase() + words.slice(1)
}
