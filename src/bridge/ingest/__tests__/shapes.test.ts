import { parseBody, UnreadableBody, unwrap } from '../shapes'

const track = { type: 'track', event: 'Purchase Completed', userId: 'user_12345' }

describe('what a request body is read as', () => {
  it.each(['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'nonsense', ''])(
    'reads JSON sent as "%s"',
    (contentType) => expect(parseBody(JSON.stringify(track), contentType)).toEqual(track)
  )

  it('reads JSON behind a byte order mark', () => expect(parseBody(`\ufeff${JSON.stringify(track)}\n`)).toEqual(track))

  it('reads a form, where null was written as a word', () =>
    expect(
      parseBody('type=track&event=Purchase+Completed&userId=null', 'application/x-www-form-urlencoded; charset=utf-8')
    ).toEqual({
      type: 'track',
      event: 'Purchase Completed',
      userId: null
    }))

  it('takes an empty body for nothing', () => expect(parseBody(' \n')).toBeNull())

  it.each([
    ['{"type":', 'application/json'],
    ['type=track', 'application/json'],
    ['no form either', 'application/x-www-form-urlencoded']
  ])('refuses %j as %s', (text, contentType) => expect(() => parseBody(text, contentType)).toThrow(UnreadableBody))
})

describe('the events inside a body', () => {
  it('is one event', () => expect(unwrap(track)).toEqual([track]))
  it('is an array of events, with nulls', () => expect(unwrap([track, null])).toEqual([track, null]))
  it('is an array of {json: event}', () => expect(unwrap([{ json: track }, { json: null }])).toEqual([track, null]))
  it('is an array of {body: form}', () =>
    expect(unwrap([{ body: 'type=track&event=A%20b' }])).toEqual([{ type: 'track', event: 'A b' }]))
  it('leaves an event alone that has a field called json or body', () => {
    const events = [
      { type: 'track', json: {} },
      { userId: 'u', body: 'a=b' }
    ]
    expect(unwrap(events)).toEqual(events)
  })
  it('is the {batch: […]} of an SDK, whose context reaches each event', () => {
    const batch = {
      batch: [{ ...track, context: { ip: '1.1.1.1' } }, null, { type: 'identify', context: [] }],
      context: { ip: '2.2.2.2', app: { name: 'shop' } },
      integrations: { All: true },
      sentAt: '2026-01-15T10:00:00Z',
      writeKey: 'esx_live_1'
    }
    expect(unwrap(batch)).toEqual([
      {
        ...track,
        context: { ip: '1.1.1.1', app: { name: 'shop' } },
        integrations: { All: true },
        sentAt: batch.sentAt
      },
      null,
      { type: 'identify', context: batch.context, integrations: { All: true }, sentAt: batch.sentAt }
    ])
  })
  it('is nothing in an empty batch', () => {
    expect(unwrap([])).toEqual([])
    expect(unwrap({ batch: [] })).toEqual([])
  })
  it('is the object itself when its batch is none', () => expect(unwrap({ batch: 5 })).toEqual([{ batch: 5 }]))
})
