import { replace, row } from './sql'
import type { Transaction } from './sql'

/** What a store has written down about itself, by name. */
export function* getMeta(name: string): Transaction<string | undefined> {
  return (yield* row<{ value: string }>('SELECT value FROM meta WHERE name = ?', name))?.value
}

export function* setMeta(name: string, value: string): Transaction<void> {
  yield* replace('meta', ['name', 'value'], [[name, value]], ['name'])
}
