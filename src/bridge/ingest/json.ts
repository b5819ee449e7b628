import type { JsonObject } from '../event'

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Deeper than any event a person means; JSON.stringify, being recursive, overflows the stack a few thousand levels down. */
const DEEPEST = 100

/**
 * Makes a parsed JSON value safe to copy and to print: without `__proto__` keys (which change the prototype of whatever they
 * are assigned to), and with whatever lies deeper than 100 levels replaced by the text `[nested too deep]`.
 * @returns the value, itself when there was nothing to do, and whether something deep was cut off.
 */
export function harmless(value: unknown): { value: unknown; cut: boolean } {
  const found = { proto: false, deep: false }
  inspect(value, 0, found)
  return { value: found.proto || found.deep ? pruned(value, 0) : value, cut: found.deep }
}

function inspect(value: unknown, depth: number, found: { proto: boolean; deep: boolean }): void {
  if (typeof value !== 'object' || value === null) return
  if (depth >= DEEPEST) {
    found.deep = true
    return
  }
  for (const [key, inner] of Object.entries(value)) {
    if (key === '__proto__') found.proto = true
    inspect(inner, depth + 1, found)
  }
}

function pruned(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth >= DEEPEST) return '[nested too deep]'
  if (Array.isArray(value)) return value.map((inner) => pruned(inner, depth + 1))
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== '__proto__')
      .map(([key, inner]) => [key, pruned(inner, depth + 1)])
  )
}
