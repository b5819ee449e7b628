import type { Bytes } from './bytes'
import { CUT_OFF, EntryText, unreadable } from './entry'
import type { Entry, Place } from './entry'

const [NEWLINE, SPACE, QUOTE, BACKSLASH, COMMA] = Buffer.from('\n "\\,')
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = Buffer.from('[]{}')
const NOTHING = Buffer.alloc(0)

/** Reads the elements of a JSON array (or of several, one after the other), however large it is. */
export async function* readArray(bytes: Bytes): AsyncGenerator<Entry[]> {
  const text = new EntryText()
  let line = 1
  let item = 0
  /** 0 outside of the array, 1 inside of it, more inside of an element that is an array or object itself. */
  let depth = 0
  let quoted = false
  let escaped = false
  /** Where the element that is being read began. */
  let place: Place | undefined

  for await (const chunk of bytes) {
    const entries: Entry[] = []
    let start = 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]
      if (byte === NEWLINE) line++
      if (quoted) {
        quoted = escaped || byte !== QUOTE
        escaped = !escaped && byte === BACKSLASH
      } else if (byte <= SPACE) {
        continue
      } else if (depth === 0) {
        if (byte !== OPEN_ARRAY)
          return yield [...entries, unreadable({ line }, 'something follows the end of the array')]
        depth = 1
      } else if (depth === 1 && (byte === COMMA || byte === CLOSE_ARRAY)) {
        const entry = place && text.finish(place, chunk.subarray(start, at))
        if (entry) entries.push(entry)
        place = undefined
        if (byte === CLOSE_ARRAY) depth = 0
      } else {
        if (!place) {
          place = { line, item: ++item }
          start = at
        }
        if (byte === QUOTE) quoted = true
        else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) depth++
        else if ((byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) && depth > 1) depth--
      }
    }
    if (place) text.add(chunk.subarray(start))
    yield entries
  }
  if (depth > 0) yield [(place && text.finish(place, NOTHING, CUT_OFF)) ?? unreadable({ line }, CUT_OFF)]
}
