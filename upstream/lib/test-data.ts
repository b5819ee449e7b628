/* eslint-disable @typescript-eslint/no-explicit-any -- as in the file of Segment that it stands in for */
import type { ActionDefinition, DestinationDefinition, InputField } from '@segment/actions-core'
import Chance from 'chance'

/**
 * Stands in for `src/lib/test-data.ts` of Segment's package, which the scaffold's snapshot test takes its values from: random, but
 * the same for the same seed; settings ignore their choices; a field counts as required also when its name contains "id" or "consent".
 */
export function generateTestData(
  seed: string,
  destination: DestinationDefinition<any>,
  action: ActionDefinition<any>,
  requiredOnly: boolean
): [eventData: any, settings: any] {
  const settings = Object.entries(destination.authentication?.fields ?? {}).map(([key, field]) => [
    key,
    valueFor(seed, '', { ...field, choices: undefined })
  ])
  const eventData = Object.entries(action.fields)
    .filter(([key, field]) => !requiredOnly || field.required || /id|consent/.test(key))
    .map(([key, field]) => {
      const value = valueFor(seed, key, field)
      return [key, field.multiple ? [value] : value]
    })
  return [Object.fromEntries(eventData), Object.fromEntries(settings)]
}

type Field = Pick<InputField, 'type' | 'format' | 'choices' | 'minimum' | 'maximum'>

function valueFor(seed: string, key: string, { type, format, choices, minimum: min, maximum: max }: Field): unknown {
  const chance = new Chance(seed)
  if (choices) {
    const choice = chance.pickone(choices as unknown[])
    return typeof choice === 'object' ? (choice as { value: unknown }).value : choice
  }
  if (key === 'email') return chance.email()
  switch (type) {
    case 'boolean':
      return chance.bool()
    case 'datetime':
      return '2021-02-01T00:00:00.000Z'
    case 'integer':
      return chance.integer({ min, max })
    case 'number':
      return chance.floating({ fixed: 2, min, max })
    case 'text':
      return chance.sentence()
    case 'object':
      return { testType: chance.string() }
    default:
      return format === 'email' ? chance.email() : format === 'uri' ? chance.url() : chance.string()
  }
}
