import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { checkFiles } from '..'
import { CUT_OFF, MAX_ENTRY_BYTES } from '../entry'
import type { Entry } from '../entry'
import { readLines } from '../lines'
import { readValues } from '../values'
import { entriesOf, Files } from './__helpers__/files'

const files = new Files()
afterAll(() => files.remove())

const EVENTS = [
  { type: 'identify', userId: 'Zoë "Z"' },
  { type: 'track', event: 'a\nb', properties: { list: [1, [2]] } }
]
const LINES = EVENTS.map((event) => JSON.stringify(event)).join('\n')

function values(entries: Entry[]): unknown[] {
  return entries.map((entry) => ('value' in entry ? entry.value : entry.problem))
}

async function inPieces(size: number, text: string, read: typeof readLines): Promise<Entry[]> {
  const bytes = Buffer.from(text)
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }
  const all: Entry[] = []
  for await (const entries of read(pieces())) all.push(...entries)
  return all
}

describe('newline-delimited JSON', () => {
  it.each([
    ['plain', LINES],
    ['with CRLF, blank lines and a BOM', `\ufeff${LINES.replace('\n', '\r\n\r\n')}\r\n`],
    ['gzipped', gzipSync(LINES)],
    [
      'gzipped twice over, one member after the other',
      Buffer.concat(LINES.split('\n').map((line) => gzipSync(line + '\n')))
    ]
  ])('%s', async (_, content) => {
    expect(values(await entriesOf([files.write('events', content)]))).toEqual(EVENTS)
  })

  it.each([1, 2, 3, 7, 1000])('is read the same in pieces of %d bytes', async (size) => {
    expect(await inPieces(size, `${LINES}\n\nno`, readLines)).toEqual([
      { line: 1, value: EVENTS[0] },
      { line: 2, value: EVENTS[1] },
      { line: 4, problem: CUT_OFF, text: 'no' }
    ])
  })

  it('says of a bad line which it is, and goes on', async () => {
    const file = files.write('bad.json', `{"a":1}\nmorgan@acme.com\n{"b":2}\n`)
    expect(await entriesOf([file])).toEqual([
      { line: 1, value: { a: 1 } },
      { line: 2, problem: 'not JSON', text: 'morgan@acme.com' },
      { line: 3, value: { b: 2 } }
    ])
  })

  it('takes values nested as deep as a line allows', async () => {
    const depth = MAX_ENTRY_BYTES / 2 - 1
    const [entry, next] = await entriesOf([files.write('deep', `${'['.repeat(depth)}${']'.repeat(depth)}\n[{}]\n`)])
    expect(entry).toHaveProperty('value')
    expect(next).toEqual({ line: 2, item: 2, value: {} })
    const [unclosed, after] = await inPieces(65_536, `${'[{"a":'.repeat(100_000)}\n{}\n`, readLines)
    expect([unclosed, after]).toEqual([expect.objectContaining({ problem: 'not JSON' }), { line: 2, value: {} }])
  })
})

describe('a JSON array', () => {
  it.each([1, 2, 5, 1000])('is read element by element, in pieces of %d bytes', async (size) => {
    const text = ` [\n${JSON.stringify(EVENTS[0], null, 1)} , ${JSON.stringify(EVENTS[1])},7,"x]\\\\",\n null]\n`
    expect(await inPieces(size, text, readValues)).toEqual([
      { line: 2, item: 1, value: EVENTS[0] },
      { line: 5, item: 2, value: EVENTS[1] },
      { line: 5, item: 3, value: 7 },
      { line: 5, item: 4, value: 'x]\\' },
      { line: 6, item: 5, value: null }
    ])
  })

  it.each([
    ['[]', []],
    ['[{"a":1},{"b', [{ a: 1 }, CUT_OFF]],
    ['[{"a":1},', [{ a: 1 }, CUT_OFF]],
    ['[{"a":1},{b:2},{"c":3}]', [{ a: 1 }, 'not JSON', { c: 3 }]],
    ['[1]\n[2]', [1, 2]],
    ['[1]\n{}', [1, {}]],
    ['[1}]\n]\n{}', ['not JSON', 'not JSON', {}]]
  ])('%s', async (text, expected) => {
    expect(values(await entriesOf([files.write('array.json', text)]))).toEqual(expected)
  })
})

describe('JSON over many lines', () => {
  const pretty = EVENTS.map((event) => JSON.stringify(event, null, 2))
  const [first, second] = pretty

  it.each([
    ['one event', first, [[1, EVENTS[0]]]],
    [
      'indented by tabs, with CRLF and a BOM',
      `\ufeff\r\n${JSON.stringify(EVENTS[1], null, '\t')}\r\n`,
      [[2, EVENTS[1]]]
    ],
    [
      'one after the other',
      pretty.join('\n'),
      [
        [1, EVENTS[0]],
        [5, EVENTS[1]]
      ]
    ],
    [
      'with nothing or a comma between',
      `${first}${second},${first}`,
      [
        [1, EVENTS[0]],
        [4, EVENTS[1]],
        [15, EVENTS[0]]
      ]
    ],
    [
      'events of one line behind',
      `${first}\n${LINES}`,
      [
        [1, EVENTS[0]],
        [5, EVENTS[0]],
        [6, EVENTS[1]]
      ]
    ],
    ['a brace first', '{"a": {\n}}', [[1, { a: {} }]]],
    [
      'cut off',
      `${first}\n${second.slice(0, -3)}`,
      [
        [1, EVENTS[0]],
        [5, CUT_OFF]
      ]
    ],
    [
      'a line of something else',
      `${first}\nmorgan "lee\n${first}`,
      [
        [1, EVENTS[0]],
        [5, 'not JSON'],
        [6, EVENTS[0]]
      ]
    ],
    [
      'a string that is not closed',
      `{\n  "a": "b\n}\n${first}`,
      [
        [1, 'not JSON'],
        [4, EVENTS[0]]
      ]
    ],
    [
      'a damaged line of a dump',
      `{"type":"ide\n${LINES}`,
      [
        [1, 'not JSON'],
        [2, EVENTS[0]],
        [3, EVENTS[1]]
      ]
    ]
  ])('%s', async (_, text, expected) => {
    const found = await entriesOf([files.write('pretty.json', gzipSync(text))])
    expect(found.map((entry) => [entry.line, ...values([entry])])).toEqual(expected)
  })

  it.each([1, 2, 7, 1000])('is read the same in pieces of %d bytes', async (size) => {
    const found = await inPieces(size, `${first}\nno\n${second}`, readValues)
    expect(found.map(({ line }) => line)).toEqual([1, 5, 6])
    expect(values(found)).toEqual([EVENTS[0], 'not JSON', EVENTS[1]])
  })
})

describe('a CSV', () => {
  it('has a header, quotes, line breaks in cells, CRLF and a BOM', async () => {
    const text =
      '\ufeffE-Mail,Name,plan,Seen\r\nmo@acme.com,"Lee, ""Mo""",,2026-01-05\r\n\r\n"b@acme.com","two\r\nlines",pro,\r\n'
    const columns = { 'E-Mail': 'email', Name: 'firstName', Seen: 'timestamp' }
    expect(await entriesOf([files.write('contacts.csv.gz', gzipSync(text))], columns)).toEqual([
      {
        line: 2,
        value: { type: 'identify', timestamp: '2026-01-05', traits: { email: 'mo@acme.com', firstName: 'Lee, "Mo"' } }
      },
      { line: 4, value: { type: 'identify', traits: { email: 'b@acme.com', firstName: 'two\r\nlines', plan: 'pro' } } }
    ])
  })

  it('may have semicolons, and is recognised by its columns being mapped', async () => {
    const file = files.write('export.txt', 'Mail;amount;note\nmo@acme.com;1,50;x\n')
    expect(values(await entriesOf([file], { Mail: 'email', note: '' }))).toEqual([
      { type: 'identify', traits: { email: 'mo@acme.com', amount: '1,50' } }
    ])
  })

  it('keeps the good rows beside the bad ones', async () => {
    const rows = [
      'email,a',
      'a@x.io,1',
      'b@x.io',
      'c@x.io,1,2',
      'd@x.io,5"',
      '"e"f@x.io,6',
      'g@x.io,7',
      'h@x.io,"8',
      'i'
    ]
    const entries = await entriesOf([files.write('bad.csv', rows.join('\n'))])
    expect(entries.map((entry) => [entry.line, 'problem' in entry ? entry.problem : 'good'])).toEqual([
      [2, 'good'],
      [3, '1 cells, where the header has 2'],
      [4, '3 cells, where the header has 2'],
      [5, 'good'],
      [6, 'good'],
      [7, 'good'],
      [8, 'a quote opens here and is not closed: the rest of the file was not read']
    ])
  })

  it('is refused when nothing in it is an address, and told when it is not UTF-8', async () => {
    await expect(entriesOf([files.write('c.csv', 'Mail,Name\nx@y.z,Mo\n')])).rejects.toThrow(
      'c.csv: no column says whose a row is. Name it with --map "COLUMN=email"; the columns are Mail, Name'
    )
    const latin = Buffer.from('email,name\nx@y.z,Zoë\n', 'latin1')
    expect(values(await entriesOf([files.write('l.csv', latin)]))).toEqual(['not UTF-8: save the file as "CSV UTF-8"'])
  })
})

describe('files', () => {
  it('are read one after the other, whatever each is', async () => {
    const mixed = [
      files.write('1.json', '[{"n":1}]'),
      files.write('2.jsonl.gz', gzipSync('{"n":2}\n')),
      files.write('3.csv', 'email\n3@x.io\n'),
      files.write('4', '{"n":4}'),
      files.write('empty', '')
    ]
    expect(values(await entriesOf(mixed))).toEqual([
      { n: 1 },
      { n: 2 },
      { type: 'identify', traits: { email: '3@x.io' } },
      { n: 4 }
    ])
  })

  it('that break off are read up to there', async () => {
    const lines = Array.from({ length: 6_000 }, (_, n) => JSON.stringify({ n, noise: Math.random() })).join('\n')
    const whole = gzipSync(lines)
    const entries = await entriesOf([files.write('cut.gz', whole.subarray(0, whole.length / 2))])
    const last = entries.pop()
    expect(entries.length).toBeGreaterThan(2_700)
    expect(values(entries)).toEqual(values(entries).map((_, n) => expect.objectContaining({ n })))
    expect(last).toEqual({ line: entries.length + 1, problem: CUT_OFF, text: expect.any(String) })

    const checksum = gzipSync('{"n":1}\n{"n":2}\n').subarray(0, -4)
    expect(values(await entriesOf([files.write('end.gz', checksum)]))).toEqual([{ n: 1 }, { n: 2 }, CUT_OFF])
  })

  it.each([
    ['a.zip', 'PK\x03\x04', 'is a zip file: unpack it first'],
    ['a.parquet', 'PAR1', 'is a Parquet file'],
    ['a.csv', '\xff\xfea\0', 'is UTF-16: save it as UTF-8']
  ])('of another kind are refused: %s', async (name, content, words) => {
    await expect(entriesOf([files.write(name, Buffer.from(content, 'latin1'))])).rejects.toThrow(words)
  })

  it('that cannot be opened are named before anything is read', async () => {
    await expect(checkFiles([files.write('there', ''), path.join(files.folder, 'gone')])).rejects.toThrow(
      /no file .*gone$/
    )
    await expect(checkFiles([files.folder])).rejects.toThrow('is a folder: name its files')
  })

  it('with a line without an end, a bomb of 256 MB in gzip, take no more memory than others', async () => {
    const zeros = Array.from<Buffer>({ length: 16 }).fill(gzipSync(Buffer.alloc(16 * 1024 * 1024)))
    const bomb = files.write('bomb.gz', Buffer.concat([gzipSync('{"n":1}\n'), ...zeros, gzipSync('\n{"n":2}\n')]))
    let most = 0
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 5)
    const before = process.memoryUsage.rss()
    const entries = await entriesOf([bomb])
    clearInterval(watch)
    expect(values(entries)).toEqual([{ n: 1 }, 'longer than 1 MB, which no event is', { n: 2 }])
    expect(most - before).toBeLessThan(150 * 1024 * 1024)
  }, 60_000)
})
