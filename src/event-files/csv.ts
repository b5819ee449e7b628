import { CsvError, parse } from 'csv-parse'
import type { Bytes } from './bytes'
import { through } from './bytes'
import { MAX_ENTRY_BYTES, unreadable } from './entry'
import type { Entry } from './entry'

/** What the columns of a CSV stand for, by their names: a field or trait; nothing when the text is empty. */
export type Columns = Record<string, string>

/** What is no trait but stands beside the traits of an identify. */
const AT_ROOT = new Set(['userId', 'anonymousId', 'timestamp'])
const WHOSE = ['email', 'userId', 'anonymousId']
const DELIMITERS = [',', ';', '\t']

/** Reads the rows of a CSV with a header, each as an identify. @throws when no column says whose a row is */
export async function* readCsv(file: string, head: Buffer, bytes: Bytes, columns: Columns): AsyncGenerator<Entry[]> {
  const parser = parse({
    delimiter: delimiterOf(head),
    raw: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: MAX_ENTRY_BYTES
  })
  let fields: string[] | undefined
  let line = 0
  try {
    for await (const rows of through<{ record: string[]; raw: string }>(parser, bytes)) {
      const entries: Entry[] = []
      for (const { record, raw } of rows) {
        const [blank] = /^[\r\n]*/.exec(raw) ?? ['']
        if (fields) entries.push(toIdentify(record, fields, line + breaks(blank) + 1))
        else fields = fieldsOf(file, record, columns)
        line += breaks(raw)
      }
      yield entries
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    yield [unreadable({ line: line + 1 }, 'a quote opens here and is not closed: the rest of the file was not read')]
  }
}

function toIdentify(row: string[], fields: string[], line: number): Entry {
  if (row.length !== fields.length) {
    return unreadable({ line }, `${row.length} cells, where the header has ${fields.length}`, row.join())
  }
  if (row.some((cell) => cell.includes('\ufffd'))) {
    return unreadable({ line }, 'not UTF-8: save the file as "CSV UTF-8"', row.join())
  }
  const root: Record<string, unknown> = { type: 'identify' }
  const traits = new Map<string, string>()
  row.forEach((cell, index) => {
    const field = fields[index]
    if (field === '' || cell.trim() === '') return
    if (AT_ROOT.has(field)) root[field] = cell
    else traits.set(field, cell)
  })
  return { line, value: { ...root, traits: Object.fromEntries(traits) } }
}

function fieldsOf(file: string, header: string[], columns: Columns): string[] {
  const names = header.map((name) => name.trim())
  const fields = names.map((name) => columns[name] ?? name)
  if (WHOSE.some((field) => fields.includes(field))) return fields
  throw new Error(
    `${file}: no column says whose a row is. Name it with --map "COLUMN=email"; the columns are ${names.join(', ')}`
  )
}

/** What the header has most of; spreadsheets write semicolons where a comma stands in numbers. */
function delimiterOf(head: Buffer): string {
  const [header] = head.toString().split('\n', 1)
  const count = (delimiter: string) => header.split(delimiter).length
  return DELIMITERS.reduce((best, delimiter) => (count(delimiter) > count(best) ? delimiter : best))
}

/** The parser's own count is wrong after a CRLF inside of a cell. */
function breaks(text: string): number {
  return text.match(/\r\n?|\n/g)?.length ?? 0
}
