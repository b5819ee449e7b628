import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { upstreamCommand } from '../upstream'

const repository = path.resolve(__dirname, '../../..')
const original = path.join(repository, 'definitions/emailsendx')

let parent: string
beforeEach(async () => {
  parent = await mkdtemp(path.join(tmpdir(), 'monorepo-'))
  jest.spyOn(console, 'log').mockImplementation()
})
afterEach(async () => {
  jest.restoreAllMocks()
  await rm(parent, { recursive: true })
})

const filesBelow = async (folder: string) => (await readdir(folder, { recursive: true })).sort()
const write = (folder: string) => upstreamCommand().parseAsync([folder], { from: 'user' })

it('writes the destination unchanged, with the snapshot test that Segment asks for', async () => {
  const folder = path.join(parent, 'destinations/emailsendx')
  await write(folder)
  const added = (await filesBelow(folder)).filter((file) => !file.includes('snap'))
  expect(added).toEqual(await filesBelow(original))
  for (const file of ['index.ts', 'metadata.json', 'trackEvent/index.ts']) {
    expect(await readFile(path.join(folder, file), 'utf8')).toBe(await readFile(path.join(original, file), 'utf8'))
  }
  expect(await readdir(path.join(folder, '__tests__'))).toContain('snapshot.test.ts')
})

it('replaces an earlier copy with everything in it', async () => {
  const folder = path.join(parent, 'emailsendx')
  await write(folder)
  await writeFile(path.join(folder, 'left-over.ts'), '')
  await write(folder)
  expect(await readdir(folder)).not.toContain('left-over.ts')
})

it('touches no folder that holds something else', async () => {
  await writeFile(path.join(parent, 'thesis.txt'), 'mine')
  await expect(write(parent)).rejects.toThrow('holds something else')
  expect(await readdir(parent)).toEqual(['thesis.txt'])
})
