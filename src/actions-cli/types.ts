import { existsSync } from 'node:fs'
import path from 'node:path'
import type { InputField } from '@segment/actions-core'
import { fieldsToJsonSchema } from '@segment/actions-core'
import { compile } from 'json-schema-to-typescript'
import mapValues from 'lodash/mapValues'
import omit from 'lodash/omit'
import pickBy from 'lodash/pickBy'
import type { GeneratedFile } from './generated-file'
import { segmentStyle } from './generated-file'
import type { Definition, LoadedDefinition } from './load'

type Fields = Parameters<typeof fieldsToJsonSchema>[0]
type Schema = ReturnType<typeof fieldsToJsonSchema>
type Hooks = NonNullable<Definition['actions'][string]['hooks']>

/**
 * The TypeScript types of a destination's settings and of every action's payload, byte for byte what
 * `generate:types` of Segment's CLI writes: `generated-types.ts` in the destination's folder and in every action's
 * folder, or `<action>.types.ts` for an action without a folder.
 */
export async function typesFiles({ folder, definition }: LoadedDefinition): Promise<GeneratedFile[]> {
  const { actions, audienceFields, authentication } = definition
  let settings = await interfaceOf(authentication?.fields ?? {}, 'Settings')
  if (audienceFields && Object.keys(audienceFields).length > 0) {
    settings += await interfaceOf(audienceFields, 'AudienceSettings')
  }
  const ofActions = Object.entries(actions).map(async ([key, { fields, hooks }]) => {
    const payload = await interfaceOf(fields, 'Payload')
    return { path: actionFile(folder, key), content: hooks ? payload + (await hookBundle(hooks)) : payload }
  })
  return [{ path: path.join(folder, 'generated-types.ts'), content: settings }, ...(await Promise.all(ofActions))]
}

const actionFile = (folder: string, key: string) =>
  existsSync(path.join(folder, key))
    ? path.join(folder, key, 'generated-types.ts')
    : path.join(folder, `${key}.types.ts`)

/**
 * Segment's CLI has json-schema-to-typescript 10; version 15 writes the same when it formats with prettier 2
 * (checked on all 839 settings and payloads of @segment/action-destinations 3.497.0).
 */
function interfaceOf(
  fields: Fields,
  name: string,
  bannerComment = '// Generated file. DO NOT MODIFY IT BY HAND.'
): Promise<string> {
  const schema = withoutTitlesAndChoices(fieldsToJsonSchema(fields, { tsType: true }))
  return compile(schema, name, { bannerComment, style: segmentStyle })
}

/** Titles would become comments and choices unions; Segment's CLI wants neither, so a choice field is a plain string. */
function withoutTitlesAndChoices(schema: Schema): Schema {
  const plain: Schema = omit(schema, 'title', 'enum')
  if (plain.type === 'object' && plain.properties) {
    return { ...plain, properties: mapValues(plain.properties, withoutTitlesAndChoices) }
  }
  if (plain.type === 'array' && plain.items) return { ...plain, items: withoutTitlesAndChoices(plain.items) }
  return plain
}

function hookBundle(hooks: Hooks): Promise<string> {
  const withFields = pickBy(hooks, (hook) => hook.inputFields ?? hook.outputTypes)
  const bundle = mapValues(withFields, (hook) => ({
    ...object({ inputs: object(hook?.inputFields), outputs: object(hook?.outputTypes) }),
    required: true
  }))
  return interfaceOf(bundle, 'HookBundle', '// Generated bundle for the hooks. DO NOT MODIFY IT BY HAND.')
}

/** An object field; hook fields differ from others only in what the schema does not show (a function as `dynamic`). */
const object = (properties?: object) => ({
  label: '',
  type: 'object' as const,
  properties: properties as InputField['properties']
})
