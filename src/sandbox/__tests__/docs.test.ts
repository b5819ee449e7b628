import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { assumed } from '../assumptions'
import { SCOPES } from '../keys'

const page = readFileSync(join(__dirname, '../../../docs/sandbox.md'), 'utf8')

it('shows every assumption of the code, and no other', () => {
  const [, section] = page.split(/^### (?=Assumed)/m)
  const rows = section.split(/^#/m)[0].match(/^\|.*\|$/gm) ?? []
  const cells = rows.slice(2).map((row) =>
    row
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1)
  )
  expect(cells).toEqual(Object.entries(assumed).map(([about, { reading }]) => [about, reading]))
})

it('names every scope', () => {
  for (const scope of SCOPES) expect(page).toContain(scope)
})
