import fc from 'fast-check'
import { firstOf } from '../../../../definitions/emailsendx/common-fields'
import identifyContact from '../../../../definitions/emailsendx/identifyContact'
import trackEvent from '../../../../definitions/emailsendx/trackEvent'
import { fromText, toText } from '../mapping-text'

const exists = (path: string, otherwise: unknown) => {
  const at = { '@path': path }
  return { '@if': { exists: at, then: at, else: otherwise } }
}

const merged = (value: unknown) => ({ '@merge': { direction: 'right', objects: [value] } })

it.each([
  ['$.traits.email', { '@path': '$.traits.email' }],
  ['$.a ?? $.b', exists('$.a', { '@path': '$.b' })],
  ['$.a ?? $.b ?? $.c', exists('$.a', exists('$.b', { '@path': '$.c' }))],
  ['$.a || $.b', firstOf('$.a', '$.b')],
  ['$.a || $.b || $.c', firstOf('$.a', '$.b', '$.c')],
  ['{...$.a}', merged({ '@path': '$.a' })],
  ['{...$.a ?? $.b}', merged(exists('$.a', { '@path': '$.b' }))],
  ['Purchase Completed', 'Purchase Completed'],
  ['', null],
  ['"$.not a path"', '$.not a path'],
  ['{"@template":"{{ userId }}"}', { '@template': '{{ userId }}' }],
  ['["listId"]', ['listId']]
])('reads %s, and writes it the same', (text, value) => {
  expect(fromText(text)).toEqual(value)
  expect(toText(value)).toBe(text)
})

it('says when something starts like JSON and is not', () => {
  expect(() => fromText('{oops')).toThrow('This starts like JSON and is not.')
})

it('takes one sign between paths', () => {
  expect(() => fromText('$.a ?? $.b || $.c')).toThrow('Between paths goes ?? or ||, not both.')
  const mixed = exists('$.a', firstOf('$.b', '$.c'))
  expect(fromText(toText(mixed))).toEqual(mixed)
})

it('shows where values come from as a person would write it', () => {
  expect(toText(identifyContact.fields.email.default)).toBe('$.traits.email || $.context.traits.email')
  expect(toText(identifyContact.fields.traits.default)).toBe('{...$.traits ?? $.context.traits}')
  expect(toText(trackEvent.fields.properties.default)).toBe('{...$.properties}')
})

it('finds no short form for a condition that only looks like "the first that is there"', () => {
  const other = { '@if': { exists: { '@path': '$.a' }, then: { '@path': '$.b' }, else: { '@path': '$.c' } } }
  expect(fromText(toText(other))).toEqual(other)
  const two = { '@merge': { direction: 'right', objects: [{ '@path': '$.a' }, { '@path': '$.b' }] } }
  expect(fromText(toText(two))).toEqual(two)
})

it('keeps any text as it is', () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      expect(fromText(toText(value))).toBe(value)
    })
  )
})

it('keeps every default of the destination as it is', () => {
  for (const [name, field] of Object.entries({ ...identifyContact.fields, ...trackEvent.fields })) {
    const isLine = typeof field.default === 'object' || field.type === 'string'
    if (isLine) expect([name, fromText(toText(field.default))]).toEqual([name, field.default ?? null])
  }
})
