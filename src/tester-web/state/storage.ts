import { effect, signal } from '@preact/signals'
import type { Signal } from '@preact/signals'

/** A signal whose value outlives a reload; with `sessionStorage` it ends with the tab. */
export function persisted<T>(name: string, initial: T, storage: Storage = localStorage): Signal<T> {
  const value = signal(read(storage, name, initial))
  effect(() => write(storage, name, JSON.stringify(value.value)))
  return value
}

/** A list that outlives a reload, as much of its beginning as fits into so many characters of JSON. */
export function kept<T>(name: string, maxCharacters: number): { read(): T[]; write(items: T[]): void } {
  return {
    read: () => read<T[]>(localStorage, name, []),
    write(items) {
      let room = maxCharacters
      const texts = items.map((item) => JSON.stringify(item)).filter((text) => (room -= text.length) >= 0)
      write(localStorage, name, `[${texts.join()}]`)
    }
  }
}

const keyOf = (name: string): string => `emailsendx-tester.${name}`

function read<T>(storage: Storage, name: string, initial: T): T {
  try {
    const text = storage.getItem(keyOf(name))
    return text === null ? initial : (JSON.parse(text) as T)
  } catch {
    return initial
  }
}

function write(storage: Storage, name: string, text: string): void {
  try {
    storage.setItem(keyOf(name), text)
  } catch {
    // Full, or switched off: the page works all the same, until it is reloaded.
  }
}
