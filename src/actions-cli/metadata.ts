import path from 'node:path'
import type { ActionDefinition, GlobalSetting, InputField, Preset, SyncModeDefinition } from '@segment/actions-core'
import mapValues from 'lodash/mapValues'
import type { GeneratedFile } from './generated-file'
import type { Definition, LoadedDefinition } from './load'

type Hooks = NonNullable<ActionDefinition<unknown>['hooks']>
/** What fields have in common wherever they stand: at the top, inside an object, as input or output of a hook. */
type AnyField = Partial<Omit<InputField, 'dynamic'>> & { dynamic?: unknown }

/**
 * `metadata.json`, which Segment's catalog reads: byte for byte what `generate:metadata-payload` of Segment's CLI writes.
 * Their prettier skips this file, so the arrays stay one entry a line.
 * The order of the keys is part of it; what is absent becomes null or false, an absent description leaves its key out.
 */
export function metadataFile({ folder, definition }: LoadedDefinition): GeneratedFile {
  const { authentication } = definition
  const metadata = {
    slug: definition.slug ?? path.basename(folder),
    name: definition.name,
    mode: definition.mode,
    description: definition.description,
    authentication: authentication
      ? { scheme: authentication.scheme, fields: mapValues(authentication.fields, settingMetadata) }
      : null,
    audienceConfig: audienceMetadata(definition),
    actions: mapValues(definition.actions, actionMetadata),
    presets: (definition.presets ?? []).map(presetMetadata)
  }
  return { path: path.join(folder, 'metadata.json'), content: `${JSON.stringify(metadata, null, 2)}\n` }
}

const settingMetadata = (setting: GlobalSetting) => ({
  label: setting.label,
  description: setting.description,
  type: setting.type,
  required: requiredMetadata(setting.required),
  multiple: setting.multiple ?? false,
  choices: choicesMetadata(setting.choices),
  default: setting.default ?? null,
  depends_on: setting.depends_on ?? null
})

function audienceMetadata({ audienceConfig, audienceFields }: Definition) {
  if (!audienceConfig) return null
  const { mode } = audienceConfig
  return {
    mode:
      mode.type === 'synced' ? { type: mode.type, full_audience_sync: mode.full_audience_sync } : { type: mode.type },
    audienceFields: mapValues(audienceFields ?? {}, settingMetadata),
    supportsAudienceFunctions: 'createAudience' in audienceConfig && 'getAudience' in audienceConfig
  }
}

const actionMetadata = (action: ActionDefinition<unknown>) => ({
  title: action.title,
  description: action.description,
  platform: action.platform ?? 'cloud',
  defaultSubscription: action.defaultSubscription ?? null,
  hidden: action.hidden ?? false,
  hasPerformBatch: action.performBatch !== undefined,
  syncMode: action.syncMode ? syncModeMetadata(action.syncMode) : null,
  hooks: action.hooks && Object.keys(action.hooks).length > 0 ? hooksMetadata(action.hooks) : null,
  dynamicFields: dynamicFieldsMetadata(action.dynamicFields ?? {}),
  fields: mapValues(action.fields, fieldMetadata)
})

const syncModeMetadata = ({ default: preset, label, description, choices }: SyncModeDefinition) => ({
  default: preset,
  label,
  description,
  choices: choices.map(({ value, label }) => ({ value, label }))
})

const hooksMetadata = (hooks: Hooks) =>
  mapValues(hooks, (hook) => ({
    label: hook?.label,
    description: hook?.description,
    inputFields: mapValues(hook?.inputFields ?? {}, fieldMetadata),
    outputFields: mapValues(hook?.outputTypes ?? {}, fieldMetadata)
  }))

/** Only the objects whose keys or values are looked up: `{ traits: ['__keys__'] }`; the field itself says `dynamic`. */
function dynamicFieldsMetadata(dynamicFields: object) {
  const lookups = Object.entries(dynamicFields)
    .filter(([, lookup]) => typeof lookup === 'object')
    .map(([key, lookup]) => [key, Object.keys(lookup as object).filter((k) => k === '__keys__' || k === '__values__')])
    .filter(([, keys]) => keys.length > 0)
  return lookups.length > 0 ? (Object.fromEntries(lookups) as Record<string, string[]>) : null
}

function fieldMetadata(field: AnyField): object {
  return {
    label: field.label,
    description: field.description,
    type: field.type,
    required: requiredMetadata(field.required),
    multiple: field.multiple ?? false,
    allowNull: field.allowNull ?? false,
    dynamic: typeof field.dynamic === 'function' || (field.dynamic ?? false),
    default: field.default ?? null,
    choices: choicesMetadata(field.choices),
    placeholder: field.placeholder ?? null,
    properties: field.type === 'object' && field.properties ? mapValues(field.properties, fieldMetadata) : null,
    category: field.category ?? null,
    depends_on: field.depends_on ?? null,
    readOnly: field.readOnly ?? null,
    hidden: field.unsafe_hidden ?? null,
    minimum: field.minimum ?? null,
    maximum: field.maximum ?? null,
    defaultObjectUI: field.defaultObjectUI ?? null,
    disabledInputMethods: field.disabledInputMethods ?? null,
    displayMode: field.displayMode ?? null,
    format: field.format ?? null,
    additionalProperties: field.additionalProperties ?? false
  }
}

const requiredMetadata = (required: InputField['required']) =>
  typeof required === 'object' ? required : required === true

const choicesMetadata = (choices: InputField['choices']) =>
  choices && choices.length > 0
    ? choices.map((choice) => (typeof choice === 'object' ? choice : { label: choice, value: choice }))
    : null

const presetMetadata = (preset: Preset) => ({
  name: preset.name,
  type: preset.type,
  partnerAction: preset.partnerAction,
  subscribe: 'subscribe' in preset ? preset.subscribe : undefined,
  mapping: preset.mapping ?? {},
  eventSlug: 'eventSlug' in preset ? preset.eventSlug : null
})
