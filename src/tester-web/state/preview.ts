import { computed, effect, signal } from '@preact/signals'
import type { Preview, PreviewCall } from '../../serve/tester/preview'
import { manifest } from './definition'
import { asBatch, effective, reading, triggers } from './inputs'
import { ask, onReturn } from './server'

/** As long as a person pauses between two keys. */
const PAUSE_MS = 120

/** Whether to preview as if EmailSendX had the contacts. */
export const contactsExist = signal(true)
/** Which of several events is looked at. */
export const chosenEvent = signal(0)

/** What would be sent now; undefined while the editor holds no events. */
const call = computed<(Omit<PreviewCall, 'events'> & { events: object[] }) | undefined>(() => {
  if (reading.value.mistake) return undefined
  const { events, isBatch } = reading.value
  const { settings, mappings } = effective.value
  return {
    events,
    settings: settings as PreviewCall['settings'],
    mappings: mappings as PreviewCall['mappings'],
    triggers: triggers.value,
    batch: isBatch && asBatch.value,
    contactsExist: contactsExist.value
  }
})

/** The newest preview, `isOld` from the moment it no longer shows what is in the editor. */
export const preview = signal<{ data?: Preview; call?: typeof call.value; error?: string; isOld: boolean }>({
  isOld: true
})

/** A preview of what is typed at this moment, for whoever is about to send it. */
export async function previewNow() {
  const wanted = call.value
  if (!wanted) return undefined
  return { ...wanted, ...(await ask<Preview>('/tester/preview', { method: 'POST', body: wanted })) }
}

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
