import { randomBytes } from 'node:crypto'

/** An id that looks like the CUIDs in EmailSendX's documentation: 25 lower-case letters and digits, starting with `cl`. */
export function newId(): string {
  const digits = BigInt(`0x${randomBytes(18).toString('hex')}`).toString(36)
  return `cl${digits.padStart(23, '0').slice(-23)}`
}

/** Milliseconds since 1970 as the API writes times, e.g. `2026-01-15T10:00:00Z`. */
export function isoTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

/** Reads a column that this program wrote as JSON text. */
export function fromJson<T>(text: string): T {
  return JSON.parse(text) as T
}
