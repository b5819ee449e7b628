import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { assumed, switches } from '../assumptions'
import { SCOPES } from '../resources/keys'

const page = readFileSync(join(__dirname, '../../../docs/sandbox.md'), 'utf8')

/** The cells of the table under a heading, without its head. */
function table(heading: string): string[][] {
  const section = page.split(`\n### ${heading}\n`)[1].split(/^#/m)[0]
  const rows = section.match(/^\|.*\|$/gm) ?? []
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim())
  )
}

it('shows every assumption of the code, and no other', () => {
  expect(table('Assumed')).toEqual(Object.entries(assumed).map(([about, { reading }]) => [about, reading]))
})

it('shows every switch of the code with its choices, and no other', () => {
  const rows = Object.entries(switches).flatMap(([name, choices]) =>
    Object.entries(choices).map(([choice, reading], index) => [index ? '' : `\`${name}\``, `\`${choice}\``, reading])
  )
  expect(table('Switches')).toEqual(rows)
})

it('names every scope', () => {
  for (const scope of SCOPES) expect(page).toContain(scope)
})
