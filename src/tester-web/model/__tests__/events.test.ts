import fc from 'fast-check'
import { readEvents } from '../events'

it('reads one event, or a batch', () => {
  expect(readEvents('{"type":"track"}')).toEqual({ events: [{ type: 'track' }], isBatch: false })
  expect(readEvents('[{"type":"track"}]')).toEqual({ events: [{ type: 'track' }], isBatch: true })
})

it.each([
  ['', 1, 'There is no event yet'],
  ['{\n  "type": "track"', 2, 'The JSON ends too early.'],
  ['{\n  "a": 1,\n}', 2, 'Expected double-quoted property name'],
  ['{\n  "a" 1\n}', 2, "Expected ':'"],
  ['nonsense', 1, "Unexpected token 'o'"],
  ['7', 1, 'An event is an object'],
  ['[]', 1, 'at least one event'],
  ['[{},\n[]]', 2, 'Item 2 of the batch is not an object.']
])('of %j it says line %i: %s', (text, line, words) => {
  const { mistake } = readEvents(text)
  expect([mistake?.line, mistake?.message]).toEqual([line, expect.stringContaining(words)])
})

it('shows every mistake inside the text', () => {
  fc.assert(
    fc.property(fc.string(), fc.json(), fc.nat(), (noise, json, at) => {
      const text = json.slice(0, at) + noise + json.slice(at)
      const { mistake } = readEvents(text)
      if (!mistake) return
      expect(mistake.from).toBeGreaterThanOrEqual(0)
      expect(mistake.to).toBeLessThanOrEqual(text.length)
      expect(mistake.from).toBeLessThanOrEqual(mistake.to)
      expect(mistake.message).not.toBe('')
    })
  )
})
