import { computed, signal } from '@preact/signals'
import { readEvents } from '../model/events'
import type { Event } from '../model/events'
import { toText } from '../model/mapping-text'
import { readPasted } from '../model/paste'
import { messageOf } from '../model/words'
import { saved } from './saved'
import type { Saved } from './saved'
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
/** The samples and what the person has saved, by name. */
export const findSample = (is: (sample: Saved) => boolean) => [...samples.value, ...saved.value.events].find(is)
/** The sample that is in the editor unchanged. */
export const currentSample = computed(() => findSample(({ text }) => text === eventText.value)?.name)
/** What was made JSON of, or why it could not be. */
export const pasteNote = signal('')

export function setEventText(text: string): void {
  typed.value = text
  pasteNote.value = ''
}

/**
 * A longer text that came at once: where it is events in another form, the editor gets them as JSON.
 * @returns what the editor is to hold
 */
export function pasteEventText(text: string): string {
  setEventText(text)
  try {
    const pasted = readPasted(text)
    if (pasted) {
      const { events, what } = pasted
      setEventText(JSON.stringify(events.length === 1 ? events[0] : events, null, 2))
      pasteNote.value = what
    }
  } catch (error) {
    pasteNote.value = `Pasted code cannot be read: ${messageOf(error)}.`
  }
  return eventText.value
}

export const inputsTab = persisted<'event' | 'settings' | 'mapping'>('inputs-tab', 'event')

/** Which of several events is looked at. */
export const chosenEvent = signal(0)
/** The event that the editor is to select: a new object each time, so that the same one can be asked for twice. */
export const eventToShow = signal<{ index: number } | undefined>(undefined)

/** Puts events in the editor, as they were sent but for what the page has added. */
export function loadIntoEditor(events: Event[]): void {
  setEventText(JSON.stringify(events.length === 1 ? asTyped(events[0]) : events.map(asTyped), null, 2))
  chosenEvent.value = 0
  inputsTab.value = 'event'
}

/** Selects an event in the editor, which gets the events first where it holds others. */
export function showEvent(events: Event[], index: number): void {
  const inEditor = reading.value.mistake ? [] : reading.value.events
  const isThere = inEditor.length === events.length && isEqual(asTyped(events[index]), asTyped(inEditor[index]))
  if (!isThere) loadIntoEditor(events)
  chosenEvent.value = index
  inputsTab.value = 'event'
  eventToShow.value = { index }
}

/** Segment gives every event an id and a time before anybody sees it; the page does it for those that have none. */
export const asFromSegment = (event: Event): Event => ({
  messageId: `tester-${crypto.randomUUID()}`,
  timestamp: new Date().toISOString(),
  ...event
})

/** The event without what the page has added, if it has. */
export function asTyped(event: Event): Event {
  if (!String(event.messageId).startsWith('tester-')) return event
  const { messageId: _id, timestamp: _time, ...typed } = event
  return typed
}

const isEqual = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other)

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

/** What was typed into fields, as `action-field`, that cannot be read, and why. Nothing is sent with a mapping that is not what it seems. */
export const brokenFields = signal<Record<string, { text: string; mistake: string }>>({})
export const mappingTrouble = computed(() => Object.values(brokenFields.value).at(0)?.mistake)

export function noteBroken(id: string, broken?: { text: string; mistake: string }): void {
  const { [id]: _, ...others } = brokenFields.value
  brokenFields.value = broken ? { ...others, [id]: broken } : others
}

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
  for (const id of Object.keys(brokenFields.value)) if (id.startsWith(`${action}-`)) noteBroken(id)
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
