import { openItem, unpack } from '../unpack'

const track = { type: 'track', event: 'Purchase Completed', userId: 'user_12345' }
const FORM = 'application/x-www-form-urlencoded'

/** What the events of a body say. */
function read(text: string, contentType?: string): unknown[] {
  const unpacked = unpack(Buffer.from(text), contentType, 32_000)
  return unpacked.items.map((item) => openItem(item, unpacked))
}

const readJson = (body: unknown) => read(JSON.stringify(body))

describe('what a request body is read as', () => {
  it.each(['application/json', 'text/plain', FORM, 'nonsense', ''])('is JSON sent as "%s"', (contentType) =>
    expect(read(JSON.stringify(track), contentType)).toEqual([track])
  )

  it('is JSON behind a byte order mark, with space around everything', () =>
    expect(read('\ufeff [ {"type" : "track"} ,\n null ]\n')).toEqual([{ type: 'track' }, null]))

  it('is a form, where null was written as a word', () =>
    expect(read('type=track&event=Purchase+Completed&userId=null', `${FORM}; charset=utf-8`)).toEqual([
      { type: 'track', event: 'Purchase Completed', userId: null }
    ]))

  it('is nothing when it is empty', () => expect(read(' \n')).toEqual([null]))

  it('takes brackets, commas and quotes inside texts for text', () => {
    const hard = { type: 'track', event: '],}"\\', properties: { '{"[': '\\"', list: [[], {}, '[,'] } }
    expect(readJson([hard, hard])).toEqual([hard, hard])
    expect(readJson({ batch: [hard], '"batch': [1] })).toEqual([hard])
  })

  it.each([
    ['{"type":', 'application/json'],
    ['type=track', 'application/json'],
    ['no form either', FORM],
    ['"a=b', FORM],
    ['[1,', ''],
    ['[1,,2]', ''],
    ['[1,]', ''],
    ['[1]]', ''],
    ['[1}', ''],
    ['[{"a":1]', ''],
    ['{"batch":[1],batch}', ''],
    ['{"a" 1}', ''],
    ['["', ''],
    ['["\\', '']
  ])('refuses %j as "%s"', (text, contentType) => expect(() => read(text, contentType)).toThrow('the body is not JSON'))
})

describe('the events inside a body', () => {
  it('is one event', () => expect(readJson(track)).toEqual([track]))
  it('is an array of events, with nulls', () => expect(readJson([track, null])).toEqual([track, null]))
  it('is an array of {json: event}', () => expect(readJson([{ json: track }, { json: null }])).toEqual([track, null]))
  it('is an array of {body: form}', () =>
    expect(readJson([{ body: 'type=track&event=A%20b' }])).toEqual([{ type: 'track', event: 'A b' }]))
  it('leaves an event alone that has a field called json or body', () => {
    const events = [
      { type: 'track', json: {} },
      { userId: 'u', body: 'a=b' }
    ]
    expect(readJson(events)).toEqual(events)
  })

  it('is the {batch: […]} of an SDK, whose context reaches each event', () => {
    const batch = {
      batch: [{ ...track, context: { ip: '1.1.1.1' } }, null, { type: 'identify', context: [] }],
      context: { ip: '2.2.2.2', app: { name: 'shop' } },
      integrations: { All: true },
      sentAt: '2026-01-15T10:00:00Z',
      writeKey: 'esx_live_1'
    }
    expect(readJson(batch)).toEqual([
      {
        ...track,
        context: { ip: '1.1.1.1', app: { name: 'shop' } },
        integrations: { All: true },
        sentAt: batch.sentAt
      },
      null,
      { type: 'identify', context: batch.context, integrations: { All: true }, sentAt: batch.sentAt }
    ])
    expect(unpack(Buffer.from(JSON.stringify(batch)), '', 32_000).writeKey).toBe('esx_live_1')
  })

  it('is nothing in an empty batch', () => {
    expect(readJson([])).toEqual([])
    expect(readJson({ batch: [] })).toEqual([])
  })
  it('is the object itself when its batch is none', () => expect(readJson({ batch: 5 })).toEqual([{ batch: 5 }]))
})

describe('a number', () => {
  it('beyond 2^53 keeps its digits, as a text', () =>
    expect(read('{"userId":12345678901234567890,"a":[-9007199254740993],"t":"12345678901234567890"}')).toEqual([
      { userId: '12345678901234567890', a: ['-9007199254740993'], t: '12345678901234567890' }
    ]))

  it('stays one where JavaScript can say it', () =>
    expect(
      read('{"a":9007199254740991,"b":1234567890123456.5,"c":1234567890123456e3,"d":"\\"1234567890123456"}')
    ).toEqual([{ a: 9007199254740991, b: 1234567890123456.5, c: 1234567890123456000, d: '"1234567890123456' }]))
})

describe('what is made to cost much', () => {
  it('is refused where the context of a batch would be in more events than fit', () => {
    const batch = { context: { x: 'x'.repeat(20_000) }, batch: new Array<object>(5_000).fill({ type: 'track' }) }
    expect(() => readJson(batch)).toThrow('the body is over 16 MB')
    expect(() => readJson({ integrations: batch.context, batch: batch.batch })).toThrow('the body is over 16 MB')
  })

  it('is not parsed where the context of a batch is too large for any event', () => {
    const unpacked = unpack(
      Buffer.from(JSON.stringify({ context: { x: 'x'.repeat(40_000) }, batch: [track] })),
      '',
      32_000
    )
    expect(unpacked.shared).toBeUndefined()
    expect(unpacked.items).toEqual([Buffer.from(JSON.stringify(track))])
    expect(unpacked.sharedBytes).toBeGreaterThan(32_000)
  })

  it('is refused where there are more events than anybody sends, without a look at the rest', () => {
    const before = performance.now()
    expect(() => read(`[${'{},'.repeat(5_000_000)}`)).toThrow('over 10000 events')
    expect(performance.now() - before).toBeLessThan(1_000)
  })

  it('is one event where an object has a million names, and is cut no further', () => {
    const text = JSON.stringify(Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`n${i}`, i])))
    expect(unpack(Buffer.from(text), '', 32_000).items.map(String)).toEqual([text])
  })

  it('is any depth', () => {
    const deep = `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`
    expect(unpack(Buffer.from(deep), '', 32_000).items).toHaveLength(1)
  })
})
