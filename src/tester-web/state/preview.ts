import { computed, effect, signal } from '@preact/signals'
import type { Preview, PreviewCall } from '../../serve/tester/preview'
import { manifest } from './definition'
import type { Event } from '../model/events'
import { asBatch, chosenEvent, effective, reading, triggers } from './inputs'
import { ask, onReturn } from './server'

/** As long as a person pauses between two keys. */
const PAUSE_MS = 120

/** Whether to preview as if EmailSendX had the contacts. */
export const contactsExist = signal(true)

/** What would be sent now; undefined while the editor holds no events. */
const call = computed<(Omit<PreviewCall, 'events'> & { events: Event[] }) | undefined>(() => {
  if (reading.value.mistake) return undefined
  const { events, isBatch } = reading.value
  const { settings, mappings } = effective.value
  return {
    events,
    settings: settings as PreviewCall['settings'],
    mappings: mappings as PreviewCall['mappings'],
    triggers: triggers.value,
    batch: isBatch && asBatch.value,
    event: Math.min(chosenEvent.value, events.length - 1),
    contactsExist: contactsExist.value
  }
})

/** The newest preview, `isOld` from the moment it no longer shows what is in the editor. */
export const preview = signal<{ data?: Preview; call?: typeof call.value; error?: string; isOld: boolean }>({
  isOld: true
})

const renewals = signal(0)

/** Keeps the preview up to date while the person types. An answer that comes too late is dropped. */
export function keepPreviewing(): void {
  onReturn(() => renewals.value++)
  effect(() => {
    void renewals.value
    const wanted = call.value
    preview.value = { ...preview.peek(), isOld: true }
    if (!wanted || !manifest.value) return
    const outdated = new AbortController()
    const timer = setTimeout(() => {
      ask<Preview>('/tester/preview', { method: 'POST', body: wanted, signal: outdated.signal }).then(
        (data) => (preview.value = { data, call: wanted, isOld: false }),
        (error: Error) => {
          if (!outdated.signal.aborted) preview.value = { error: error.message, isOld: false }
        }
      )
    }, PAUSE_MS)
    return () => {
      clearTimeout(timer)
      outdated.abort()
    }
  })
}
