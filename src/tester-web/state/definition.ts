import { computed, signal } from '@preact/signals'
import type { Start } from '../../serve/tester/start'
import { messageOf } from '../model/words'
import { ask, onReturn } from './server'

/** A field of an action or a setting, as the manifest has it. */
export interface Field {
  label: string
  description?: string
  type: string
  required?: unknown
  default?: unknown
  choices?: (string | { label: string; value: string })[]
  dynamic?: boolean
  unsafe_hidden?: boolean
  category?: string
  minimum?: number
  maximum?: number
  depends_on?: { conditions: { fieldKey: string; operator: string; value: unknown }[] }
}

interface Action {
  title: string
  defaultSubscription?: string
  fields: Record<string, Field>
}

interface Preset {
  name: string
  type: 'automatic' | 'specificEvent'
  partnerAction: string
}

interface Manifest {
  name: string
  authentication?: { fields: Record<string, Field> }
  actions: Record<string, Action>
  presets?: Preset[]
}

export const start = signal<Start | undefined>(undefined)
export const manifest = signal<Manifest | undefined>(undefined)
/** Why the page cannot begin. */
export const trouble = signal('')

export const actions = computed(() => Object.entries(manifest.value?.actions ?? {}))
export const titleOf = (slug: string): string => manifest.value?.actions[slug]?.title ?? slug

async function load(): Promise<void> {
  try {
    const [newStart, newManifest] = await Promise.all([ask<Start>('/tester/start'), ask<Manifest>('/manifest')])
    start.value = newStart
    manifest.value = newManifest
    trouble.value = ''
  } catch (error) {
    trouble.value = messageOf(error)
  }
}

/** Loads what is served, now and whenever it may have changed. What was typed is kept elsewhere. */
export function loadDefinition(): Promise<void> {
  onReturn(load)
  return load()
}
