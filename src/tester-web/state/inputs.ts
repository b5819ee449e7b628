import { computed, signal } from '@preact/signals'
import { readEvents } from '../model/events'
import { toText } from '../model/mapping-text'
import { manifest, start } from './definition'
import { persisted } from './storage'

/** What the person has typed; null: nothing yet. */
const typed = persisted<string | null>('event', null)

/** Samples in the order of a first visit: the two events of EmailSendX's Segment page come first. */
const FIRST = ['identify', 'track', 'track-with-address', 'spellings', 'order-completed', 'anonymous', 'server']
const rank = ({ name }: { name: string }): number => FIRST.indexOf(name) + 1 || FIRST.length + 1

export const samples = computed(() =>
  (start.value?.samples ?? [])
    .map(({ name, text }) => ({ name, text: text.trimEnd() }))
    .sort((a, b) => rank(a) - rank(b))
)
export const eventText = computed(() => typed.value ?? samples.value[0]?.text ?? '')
export const reading = computed(() => readEvents(eventText.value))
/** The sample that is in the editor unchanged. */
export const currentSample = computed(() => samples.value.find(({ text }) => text === eventText.value)?.name)
export const setEventText = (text: string): void => void (typed.value = text)

/** Several events: one call for all of an action, or one call each. */
export const asBatch = persisted('batch', true)

/** A list that is not there, put in the place of whichever is configured. */
export const MISSING_LIST = 'clx_list_deleted_id'
export const isListMissing = signal(false)

/** What differs from the settings the page begins with. Secrets are forgotten with the tab. */
const plainSettings = persisted<Record<string, string>>('settings', {})
const secretSettings = persisted<Record<string, string>>('secrets', {}, sessionStorage)
const isSecret = (name: string): boolean => manifest.value?.authentication?.fields[name]?.type === 'password'

export const initialSettings = computed(() => (start.value?.settings ?? {}) as Record<string, string | undefined>)
export const settings = computed(() => ({
  ...initialSettings.value,
  ...plainSettings.value,
  ...secretSettings.value
}))

export function setSetting(name: string, value: string): void {
  const store = isSecret(name) ? secretSettings : plainSettings
  const { [name]: _, ...others } = store.value
  store.value = value === (initialSettings.value[name] ?? '') ? others : { ...others, [name]: value }
}

type Mapping = Record<string, unknown>

/** By action: the fields that differ from their defaults, and the trigger where it does. */
export const mappings = persisted<Record<string, Mapping>>('mappings', {})
export const triggers = persisted<Record<string, string>>('triggers', {})

export function setField(action: string, field: string, value: unknown): void {
  const { [field]: _, ...others } = mappings.value[action] ?? {}
  const standard = manifest.value?.actions[action].fields[field]?.default
  const isStandard = toText(value) === toText(standard)
  mappings.value = { ...mappings.value, [action]: isStandard ? others : { ...others, [field]: value } }
}

export function setTrigger(action: string, trigger: string): void {
  const { [action]: _, ...others } = triggers.value
  const standard = manifest.value?.actions[action].defaultSubscription ?? ''
  triggers.value = trigger === standard ? others : { ...others, [action]: trigger }
}

/** How many fields of the action are not as they come. */
export const changesOf = (action: string): number =>
  Object.keys(mappings.value[action] ?? {}).length + (action in triggers.value ? 1 : 0)

export function resetMapping(action: string): void {
  const { [action]: _mapping, ...otherMappings } = mappings.value
  const { [action]: _trigger, ...otherTriggers } = triggers.value
  mappings.value = otherMappings
  triggers.value = otherTriggers
}

/** What is really sent: the inputs, and the list that has been made to go missing. */
export const effective = computed(() => ({
  settings: isListMissing.value ? { ...settings.value, defaultListId: MISSING_LIST } : settings.value,
  mappings: isListMissing.value ? withoutLists(mappings.value) : mappings.value
}))

const withoutLists = (all: Record<string, Mapping>): Record<string, Mapping> =>
  Object.fromEntries(Object.entries(all).map(([action, { listId: _, ...others }]) => [action, others]))
