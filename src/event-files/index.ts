import { createReadStream } from 'node:fs'
import { access, constants, stat } from 'node:fs/promises'
import { jsonOf } from '../http/json'
import { inflate, peek, skip } from './bytes'
import type { Bytes } from './bytes'
import { readCsv } from './csv'
import type { Columns } from './csv'
import { CUT_OFF, unreadable } from './entry'
import type { Entry } from './entry'
import { readLines } from './lines'
import { readValues } from './values'

export type { Columns } from './csv'
export { placeOf } from './entry'
export type { Entry } from './entry'
export { eventsIn } from './events'

/** What is read, in this order. */
export interface Input {
  /** `-`: standard input. */
  files: string[]
  columns: Columns
}

const HEAD_BYTES = 64 * 1024
const GZIP = Buffer.from([0x1f, 0x8b])
const BOM = Buffer.from([0xef, 0xbb, 0xbf])

/** What people have and mean to be read, by its first bytes, with what to do instead. */
const OTHERS: [magic: Buffer, words: string][] = [
  [Buffer.from('PK\x03\x04', 'latin1'), 'is a zip file: unpack it first'],
  [Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), 'is compressed with zstd: unpack it first'],
  [Buffer.from('PAR1'), 'is a Parquet file: export JSON or CSV instead'],
  [Buffer.from([0xff, 0xfe]), 'is UTF-16: save it as UTF-8'],
  [Buffer.from([0xfe, 0xff]), 'is UTF-16: save it as UTF-8']
]

/** @throws with words that name the first file that can't be opened, before anything is read */
export async function checkFiles(files: string[]): Promise<void> {
  for (const file of files.filter((name) => name !== '-')) {
    const found = await stat(file).catch(() => undefined)
    if (!found) throw new Error(`there is no file ${file}`)
    if (found.isDirectory()) throw new Error(`${file} is a folder: name its files, ${file.replace(/\/$/, '')}/*`)
    await access(file, constants.R_OK).catch(() => {
      throw new Error(`${file} may not be read by you`)
    })
  }
}

/**
 * Reads newline-delimited JSON, JSON objects over many lines, JSON arrays and CSV, each gzipped or not, as their content shows:
 * what begins with `[` is an array; a CSV is named `.csv` (`.csv.gz`), or columns are mapped and it does not begin with `{`.
 * @returns the entries of one file after the other, as many as came at once
 * @throws for a file of another kind
 */
export async function* readInput({ files, columns }: Input): AsyncGenerator<{ file: string; entries: Entry[] }> {
  for (const file of files) {
    const name = file === '-' ? 'stdin' : file
    const stream: Bytes = file === '-' ? process.stdin : createReadStream(file)
    for await (const entries of readFile(name, stream, columns)) yield { file: name, entries }
  }
}

async function* readFile(file: string, stream: Bytes, columns: Columns): AsyncGenerator<Entry[]> {
  let isBroken = false
  const raw = await peek(stream, GZIP.length)
  const inflated = startsWith(raw.head, GZIP) ? inflate(raw.bytes, () => (isBroken = true)) : raw.bytes
  const { head, bytes } = await peek(inflated, HEAD_BYTES)
  const other = OTHERS.find(([magic]) => startsWith(head, magic))
  if (other) throw new Error(`${file} ${other[1]}`)

  let last: Entry | undefined
  for await (const entries of entriesOf(file, head, bytes, columns)) {
    last = entries[entries.length - 1] ?? last
    yield entries
  }
  const isTold = last && 'problem' in last && last.problem === CUT_OFF
  if (isBroken && !isTold) yield [unreadable({ line: (last?.line ?? 0) + 1 }, CUT_OFF)]
}

function entriesOf(file: string, head: Buffer, bytes: Bytes, columns: Columns): AsyncGenerator<Entry[]> {
  const hasBom = startsWith(head, BOM)
  const content = hasBom ? skip(bytes, BOM.length) : bytes
  const text = hasBom ? head.subarray(BOM.length) : head
  const beginning = text.toString('latin1').trimStart()
  const [first] = beginning
  if (/\.csv(\.gz)?$/i.test(file) || (Object.keys(columns).length > 0 && first !== '{' && first !== '[')) {
    return readCsv(file, text, content, columns)
  }
  return first === '[' || isOverLines(beginning) ? readValues(content) : readLines(content)
}

/** Whether an object begins that goes over several lines. One of a dump may be damaged, and the next line then begins another. */
function isOverLines(beginning: string): boolean {
  const [line, next] = beginning.split('\n', 2)
  return (
    next !== undefined &&
    line[0] === '{' &&
    jsonOf(line) === undefined &&
    (/[{[]\s*$/.test(line) || /^\s*["}]/.test(next))
  )
}

function startsWith(bytes: Buffer, magic: Buffer): boolean {
  return bytes.subarray(0, magic.length).equals(magic)
}
