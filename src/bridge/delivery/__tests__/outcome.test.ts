import { track } from '../../queue/__tests__/__helpers__/events'
import { classify } from '../outcome'
import type { Trace, Exchange, Row } from '../outcome'
import type { Item } from '../identity-links'

function item(options = {}): Item {
  const event = track({ email: 'ann@example.com', options })
  return { id: 1, event, arrivedAt: 0, attempts: 0, firing: false, keys: [], links: [], seenLinks: [] }
}

const get = (status: number): Exchange => ({ method: 'GET', status })
const post = (status: number): Exchange => ({ method: 'POST', status })
const row = (status: number, errormessage = 'No.', errortype?: string): Row => ({ status, errormessage, errortype })

describe('the verdict on a track', () => {
  const verdict = (what: Row, fired: boolean, ...exchanges: Exchange[]) =>
    classify(item(), what, { type: 'track', fired, exchanges }).is

  it.each<[string, Row, boolean, Exchange[]]>([
    ['delivered', { status: 201 }, true, [get(200), post(201)]],
    ['delivered', { status: 200 }, true, [post(200)]],
    ['refused', row(400), true, [get(200), post(400)]],
    ['refused', row(413), false, []],
    ['unknown contact', row(404), false, [get(200)]],
    ['unknown contact', row(404), true, [post(404), get(200)]],
    ['key refused', row(401), false, [get(401)]],
    ['key refused', row(403), true, [post(403)]],
    ['failed', row(503), false, []],
    ['failed', row(504), false, []],
    ['failed', row(500), false, [get(500)]],
    ['failed', row(429), true, [get(200), post(429)]],
    ['failed', row(500), true, [post(500)]],
    ['failed', row(502), true, [post(502)]],
    ['failed', row(504), true, [post(404), get(504)]],
    ['failed', row(408), false, [get(200)]],
    ['failed', row(404), false, [get(404)]],
    ['failed', row(400, 'redirected', 'BAD_REQUEST'), false, [get(302)]],
    ['unknown outcome', row(503), true, []],
    ['unknown outcome', row(504), true, [get(200)]],
    ['unknown outcome', row(503), true, [post(404), get(200)]],
    ['unknown outcome', row(502), true, [post(200)]],
    ['unknown outcome', row(504), true, [get(200), post(504)]]
  ])('is "%s" for %j (fired: %j) after %j', (expected, what, fired, exchanges) => {
    expect(verdict(what, fired, ...exchanges)).toBe(expected)
  })
})

describe('the verdict on an identify', () => {
  const trace = (...exchanges: Exchange[]): Trace => ({ type: 'identify', fired: false, exchanges })

  it.each<[string, Row, Exchange[]]>([
    ['delivered', { status: 200 }, [post(200)]],
    ['refused', row(400), [post(200)]],
    ['failed', row(429), [post(200)]],
    ['failed', row(503), []],
    ['failed', row(502), [post(200)]],
    ['failed', row(404), [post(404)]],
    ['key refused', row(401), []]
  ])('is "%s" for %j after %j', (expected, what, exchanges) => {
    expect(classify(item(), what, trace(...exchanges)).is).toBe(expected)
  })

  it('blames a list that does not exist, not the address of the API', () => {
    expect(classify(item({ listId: 'x' }), row(404, 'No such list.'), trace(post(404)))).toEqual({
      is: 'refused',
      words: 'No such list.'
    })
  })

  it('always has words', () => {
    expect(classify(item(), { status: 409 }, trace(post(409)))).toEqual({
      is: 'refused',
      words: 'The destination reported 409 without a reason.'
    })
  })
})
