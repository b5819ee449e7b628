import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { definitionFolders, loadDefinition } from '../load'

let root: string
beforeEach(async () => {
  root = await mkdtemp(path.join(await realpath(tmpdir()), 'definitions-'))
})
afterEach(() => rm(root, { recursive: true }))

async function folderWith(name: string, source: string) {
  const folder = path.join(root, name)
  await mkdir(folder)
  await writeFile(path.join(folder, 'index.ts'), source)
  return folder
}

it('finds the folders with an index.ts, in order', async () => {
  await folderWith('b', '')
  await folderWith('a', '')
  await mkdir(path.join(root, 'docs'))
  await writeFile(path.join(root, 'README.md'), '')
  expect(await definitionFolders(root)).toEqual([path.join(root, 'a'), path.join(root, 'b')])
})

it.each(['export default', 'export const destination ='])('loads what a folder exports with `%s`', async (how) => {
  const folder = await folderWith('shop', `${how} { name: 'Shop', mode: 'cloud' as const, actions: {} }`)
  const loaded = await loadDefinition(path.relative(process.cwd(), folder))
  expect(loaded).toEqual({ folder, definition: { name: 'Shop', mode: 'cloud', actions: {} } })
})

it.each([
  ['export const other = 1', 'exports no destination (an object with a name and actions)'],
  ['export default null', 'exports no destination (an object with a name and actions)'],
  ['export default { actions: {} }', 'exports no destination (an object with a name and actions)'],
  ['export default { name: "Shop" }', 'exports no destination (an object with a name and actions)'],
  ['throw new Error("the shop is shut\\nfor good")', 'cannot be loaded: the shop is shut']
])('says in one line what is wrong with `%s`', async (source, problem) => {
  const folder = await folderWith('shop', source)
  const shown = path.join(path.relative(process.cwd(), folder), 'index.ts')
  await expect(loadDefinition(folder)).rejects.toHaveProperty('message', `${shown}: ${problem}`)
})

it('says that a folder holds no destination', async () => {
  await expect(loadDefinition(root)).rejects.toThrow('no index.ts here; give the folder of a destination')
})
