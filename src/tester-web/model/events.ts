import { jsonLanguage } from '@codemirror/lang-json'
import { isObject } from '../../http/json'
import { messageOf } from './words'

export type Event = Record<string, unknown>

/** A place in the text and what is wrong there. */
export interface Mistake {
  from: number
  to: number
  /** 1-indexed. */
  line: number
  message: string
}

/** What the text of the editor holds: one event (an object) or a batch of them (an array of objects). */
export type Reading = { events: Event[]; isBatch: boolean; mistake?: undefined } | { mistake: Mistake }

export function readEvents(text: string): Reading {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const { from, to } = firstError(text)
    // Where something is missing the error has no width: it is shown on what comes before.
    const shown = from < to ? from : Math.max(0, text.slice(0, from).trimEnd().length - 1)
    const message = explain(error, text, from)
    return { mistake: { from: shown, to: Math.max(to, shown), line: lineOf(text, shown), message } }
  }
  if (isObject(value)) return { events: [value], isBatch: false }
  if (!Array.isArray(value)) return mistakeAt(text, 0, 'An event is an object: { "type": "track", … }')
  if (value.length === 0) return mistakeAt(text, 0, 'A batch needs at least one event.')
  const wrong = value.findIndex((item) => !isObject(item))
  if (wrong < 0) return { events: value as Event[], isBatch: true }
  return mistakeAt(text, wrong + 1, `Item ${wrong + 1} of the batch is not an object.`)
}

/** Where an event stands in the text: the whole of it, or the item of a batch. */
export function rangeOfEvent(text: string, index: number): { from: number; to: number } {
  return rangeOf(text, text.trimStart().startsWith('[') ? index + 1 : 0)
}

function mistakeAt(text: string, item: number, message: string): Reading {
  const { from, to } = rangeOf(text, item)
  return { mistake: { from, to, line: lineOf(text, from), message } }
}

/** The whole value, or with `item` that item of the array. */
function rangeOf(text: string, item: number): { from: number; to: number } {
  const whole = jsonLanguage.parser.parse(text).topNode.firstChild
  let node = item > 0 ? whole?.firstChild : whole
  for (let passed = 0; node && item > 0; node = node.nextSibling) {
    if (/^(Object|Array|String|Number|True|False|Null)$/.test(node.name) && ++passed === item) break
  }
  return node ?? { from: 0, to: text.length }
}

function firstError(text: string): { from: number; to: number } {
  let found: { from: number; to: number } | undefined
  jsonLanguage.parser.parse(text).iterate({
    enter({ type, from, to }) {
      if (type.isError && !found) found = { from, to }
      return !found
    }
  })
  return found ?? { from: text.length, to: text.length }
}

/** The engine's own words without its way of telling the place. */
function explain(error: unknown, text: string, from: number): string {
  if (text.trim() === '') return 'There is no event yet: pick a sample or paste one.'
  if (text.slice(from).trim() === '') return 'The JSON ends too early.'
  return messageOf(error).replace(/ in JSON at position.*|, (\.\.\.)?".*is not valid JSON$/s, '')
}

const lineOf = (text: string, position: number): number => text.slice(0, position).split('\n').length
