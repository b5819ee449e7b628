import type { Bytes } from './bytes'
import { CUT_OFF, EntryText } from './entry'
import type { Entry } from './entry'

const NEWLINE = 10
const NOTHING = Buffer.alloc(0)

/** Reads one JSON value a line, as the dumps of Segment and RudderStack have them. Blank lines are passed over. */
export async function* readLines(bytes: Bytes): AsyncGenerator<Entry[]> {
  const text = new EntryText()
  let line = 0
  for await (const chunk of bytes) {
    const entries: Entry[] = []
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const entry = text.finish({ line: ++line }, chunk.subarray(start, end))
      if (entry) entries.push(entry)
      start = end + 1
    }
    text.add(chunk.subarray(start))
    yield entries
  }
  const last = text.finish({ line: line + 1 }, NOTHING, CUT_OFF)
  if (last) yield [last]
}
