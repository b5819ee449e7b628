import { HttpError } from '../../http/errors'

export const BRACKET = 0x5b
export const BRACE = 0x7b
export const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c

/** Without white space and byte order mark around. */
export function trimmed(text: Buffer): Buffer {
  let start = text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf ? 3 : 0
  let end = text.length
  while (start < end && isSpace(text[start])) start++
  while (start < end && isSpace(text[end - 1])) end--
  return text.subarray(start, end)
}

/**
 * The texts between the commas of a JSON array or object. Looks at each byte once and understands no more than strings and
 * brackets, so that a body made to be slow to parse costs no more than another; parsing the texts tells whether they are JSON.
 * @param text one array or object, without space around
 * @throws HttpError 400 when its brackets do not match
 */
export function* elements(text: Buffer): Generator<Buffer> {
  let depth = 0
  let start = 1
  let at = 0
  for (; at < text.length; at++) {
    const byte = text[at]
    if (byte === QUOTE) {
      for (at++; at < text.length && text[at] !== QUOTE; at++) if (text[at] === BACKSLASH) at++
    } else if (isOpening(byte)) {
      depth++
    } else if (isClosing(byte)) {
      if (--depth === 0) break
    } else if (byte === COMMA && depth === 1) {
      yield trimmed(text.subarray(start, at))
      start = at + 1
    }
  }
  // The code of a closing bracket is that of the opening one and two.
  if (at !== text.length - 1 || text[at] !== text[0] + 2) throw notJson()
  const last = trimmed(text.subarray(start, at))
  if (last.length > 0 || start > 1) yield last
}

/** The name and the text of an object's member. @throws HttpError 400 */
export function memberOf(text: Buffer): { name: string; value: Buffer } {
  let end = 1
  while (end < text.length && text[end] !== QUOTE) end += text[end] === BACKSLASH ? 2 : 1
  const rest = trimmed(text.subarray(end + 1))
  if (text[0] !== QUOTE || rest[0] !== 0x3a) throw notJson()
  return { name: JSON.parse(text.subarray(0, end + 1).toString()) as string, value: trimmed(rest.subarray(1)) }
}

/**
 * A JSON text as a value. Whole numbers beyond 2^53, which JavaScript rounds, become texts of their digits: as ids they would
 * make one user of two.
 * @throws HttpError 400
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(/\d{16}/.test(text) ? text.replace(STRING_OR_LONG_NUMBER, exact) : text)
  } catch {
    throw notJson()
  }
}

const STRING_OR_LONG_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?:\.\d+)?(?:[eE][+-]?\d+)?/g

function exact(token: string): string {
  return /^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token)) ? `"${token}"` : token
}

/** A form's fields. It knows only text: `new URLSearchParams(event)`, which is what Segment's sender runs, writes null as the word. */
export function parseForm(text: string): { [name: string]: string | null } {
  const fields = [...new URLSearchParams(text)].map(([name, value]) => [
    name,
    value === 'null' || value === 'undefined' ? null : value
  ])
  return Object.fromEntries(fields) as { [name: string]: string | null }
}

/** Deeper than any event a person means; JSON.stringify, being recursive, overflows the stack a few thousand levels down. */
const MAX_DEPTH = 100

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
  if (depth >= MAX_DEPTH) {
    found.deep = true
    return
  }
  if (Object.hasOwn(value, '__proto__')) found.proto = true
  for (const inner of Object.values(value)) if (typeof inner === 'object') inspect(inner, depth + 1, found)
}

function pruned(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth >= MAX_DEPTH) return '[nested too deep]'
  if (Array.isArray(value)) return value.map((inner) => pruned(inner, depth + 1))
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== '__proto__')
      .map(([key, inner]) => [key, pruned(inner, depth + 1)])
  )
}

function notJson(): HttpError {
  return new HttpError(400, 'the body is not JSON')
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function isOpening(byte: number): boolean {
  return byte === BRACKET || byte === BRACE
}

function isClosing(byte: number): boolean {
  return byte === BRACKET + 2 || byte === BRACE + 2
}
