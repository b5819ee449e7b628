import { ask } from './server'
import { persisted } from './storage'

/** A sample or a mapping that the person has given a name. */
export interface Saved {
  name: string
  text: string
}

export type Folder = 'events' | 'mappings'

/** In this browser only. */
export const saved = persisted<Record<Folder, Saved[]>>('saved', { events: [], mappings: [] })

export function keep(folder: Folder, name: string, text: string): void {
  const others = saved.value[folder].filter((one) => one.name !== name)
  saved.value = { ...saved.value, [folder]: [...others, { name, text }] }
}

export function drop(folder: Folder, name: string): void {
  saved.value = { ...saved.value, [folder]: saved.value[folder].filter((one) => one.name !== name) }
}

/** Writes it to `.segment` of this checkout. @returns the file */
export async function exportFile(folder: Folder, name: string, text: string): Promise<string> {
  const { file } = await ask<{ file: string }>(`/tester/files/${folder}`, { method: 'POST', body: { name, text } })
  return file
}
