import { effect, signal } from '@preact/signals'
import type { Signal } from '@preact/signals'

/** A signal whose value outlives a reload; with `sessionStorage` it ends with the tab. */
export function persisted<T>(name: string, initial: T, storage: Storage = localStorage): Signal<T> {
  const key = `emailsendx-tester.${name}`
  const value = signal(read(storage, key, initial))
  effect(() => {
    const text = JSON.stringify(value.value)
    try {
      storage.setItem(key, text)
    } catch {
      // Full, or switched off: the page works all the same, until it is reloaded.
    }
  })
  return value
}

function read<T>(storage: Storage, key: string, initial: T): T {
  try {
    const text = storage.getItem(key)
    return text === null ? initial : (JSON.parse(text) as T)
  } catch {
    return initial
  }
}

/** A list that outlives a reload, as much of its beginning as fits into so many characters of JSON. */
export function kept<T>(name: string, maxCharacters: number): { read(): T[]; write(items: T[]): void } {
  const key = `emailsendx-tester.${name}`
  return {
    read: () => read<T[]>(localStorage, key, []),
    write(items) {
      const texts: string[] = []
      let room = maxCharacters
      for (const item of items) {
        const text = JSON.stringify(item)
        room -= text.length
        if (room >= 0) texts.push(text)
      }
      try {
        localStorage.setItem(key, `[${texts.join()}]`)
      } catch {
        // Full, or switched off: the page works all the same, until it is reloaded.
      }
    }
  }
}
