/** What one place of the input holds: a value, or the reason why there is none. */
export type Entry = Place & ({ value: unknown } | { problem: string; text: string })

export interface Place {
  /** Of the unpacked file, from 1. */
  line: number
  /** Which element of a JSON array, from 1: there may be many on one line. */
  item?: number
}

/** Where it stands, for people: `events.json:12`. */
export function placeOf(file: string, { line, item }: Place): string {
  return `${file}:${line}${item === undefined ? '' : ` (element ${item})`}`
}

/** Segment takes no event over 32 KB and no batch over 500 KB; what is longer is no event, and must not fill the memory. */
export const MAX_ENTRY_BYTES = 1_000_000

/** How much of what can't be read is kept for a person to look at. */
const MAX_KEPT = 2_000

const TOO_LONG = `longer than ${MAX_ENTRY_BYTES / 1e6} MB, which no event is`
export const CUT_OFF = 'the file is cut off or damaged here: what stands before this was read'

/** `problem` never repeats what stands there. */
export function unreadable(place: Place, problem: string, text = ''): Entry {
  return { ...place, problem, text: text.slice(0, MAX_KEPT) }
}

/** Gathers the JSON text of one entry, of which several chunks may hold a part; what is beyond the limit is not kept. */
export class EntryText {
  private pieces: Buffer[] = []
  private size = 0

  add(piece: Buffer): void {
    // One byte over the limit is enough to tell.
    if (this.size <= MAX_ENTRY_BYTES) this.pieces.push(piece.subarray(0, MAX_ENTRY_BYTES + 1 - this.size))
    this.size += piece.length
  }

  /** Ends the entry with its last piece. Undefined when it is blank. */
  finish(place: Place, piece: Buffer, problem = 'not JSON'): Entry | undefined {
    this.add(piece)
    const { pieces, size } = this
    this.pieces = []
    this.size = 0
    const text = (pieces.length === 1 ? pieces[0] : Buffer.concat(pieces)).toString()
    if (size > MAX_ENTRY_BYTES) return unreadable(place, TOO_LONG, text)
    try {
      return { ...place, value: JSON.parse(text) }
    } catch {
      return text.trim() === '' ? undefined : unreadable(place, problem, text)
    }
  }
}
