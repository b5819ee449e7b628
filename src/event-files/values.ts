import type { Bytes } from './bytes'
import { CUT_OFF, EntryText, unreadable } from './entry'
import type { Entry, Place } from './entry'

const [NEWLINE, SPACE, QUOTE, BACKSLASH, COMMA] = Buffer.from('\n "\\,')
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = Buffer.from('[]{}')
const NOTHING = Buffer.alloc(0)

/**
 * Reads objects that go over as many lines as they like, and the elements of arrays, one after the other, however many there are.
 * Of anything else between them each line is unreadable.
 */
export async function* readValues(bytes: Bytes): AsyncGenerator<Entry[]> {
  const text = new EntryText()
  let line = 1
  let item = 0
  /** What an entry stands in: an array, nothing, or a line of something else. */
  let around: 'array' | 'nothing' | 'line' = 'nothing'
  /** How many arrays and objects of the entry that is being read are open. */
  let depth = 0
  let quoted = false
  let escaped = false
  /** Where that entry began. */
  let place: Place | undefined

  for await (const chunk of bytes) {
    const entries: Entry[] = []
    let start = 0
    const finish = (end: number) => {
      const entry = place && text.finish(place, chunk.subarray(start, end))
      if (entry) entries.push(entry)
      place = undefined
      depth = 0
      quoted = false
    }
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]
      if (byte === NEWLINE) line++
      if (around === 'line') {
        if (byte !== NEWLINE) continue
        finish(at)
        around = 'nothing'
      } else if (quoted) {
        // No string of JSON goes over the end of a line, so that one that was not closed does not swallow what follows.
        quoted = byte !== NEWLINE && (escaped || byte !== QUOTE)
        escaped = !escaped && byte === BACKSLASH
      } else if (byte <= SPACE) {
        continue
      } else if (depth === 0 && (byte === COMMA || (byte === CLOSE_ARRAY && around === 'array'))) {
        finish(at)
        if (byte === CLOSE_ARRAY) around = 'nothing'
      } else if (around === 'nothing' && !place && byte === OPEN_ARRAY) {
        around = 'array'
      } else {
        if (!place) {
          place = around === 'array' ? { line, item: ++item } : { line }
          start = at
          if (around === 'nothing' && byte !== OPEN_OBJECT) around = 'line'
        }
        if (byte === QUOTE) quoted = true
        else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) depth++
        else if ((byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) && depth > 0) depth--
        if (depth === 0 && around === 'nothing') finish(at + 1)
      }
    }
    if (place) text.add(chunk.subarray(start))
    yield entries
  }
  if (place || around === 'array')
    yield [(place && text.finish(place, NOTHING, CUT_OFF)) ?? unreadable({ line }, CUT_OFF)]
}
