import fc from 'fast-check'
import { firstText } from '../../../../definitions/emailsendx/common-fields'
import identifyContact from '../../../../definitions/emailsendx/identifyContact'
import trackEvent from '../../../../definitions/emailsendx/trackEvent'
import { fromText, toText } from '../mapping-text'

const exists = (path: string, otherwise: unknown) => {
  const at = { '@path': path }
  return { '@if': { exists: at, then: at, else: otherwise } }
}

it.each([
  ['$.traits.email', { '@path': '$.traits.email' }],
  ['$.a ?? $.b', exists('$.a', { '@path': '$.b' })],
  ['$.a ?? $.b ?? $.c', exists('$.a', exists('$.b', { '@path': '$.c' }))],
  ['$.a || $.b', firstText('$.a', '$.b')],
  ['$.a || $.b || $.c', firstText('$.a', '$.b', '$.c')],
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
  const mixed = exists('$.a', firstText('$.b', '$.c'))
  expect(fromText(toText(mixed))).toEqual(mixed)
})

it('shows where the address comes from as a person would write it', () => {
  expect(toText(identifyContact.fields.email.default)).toBe('$.traits.email || $.context.traits.email')
})

it('finds no short form for a condition that only looks like "the first that is there"', () => {
  const other = { '@if': { exists: { '@path': '$.a' }, then: { '@path': '$.b' }, else: { '@path': '$.c' } } }
  expect(fromText(toText(other))).toEqual(other)
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
