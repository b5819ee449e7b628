import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { unpackChromium } from '../__helpers__/chromium'

let folder: string
beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'unpacked '))))
afterEach(() => rm(folder, { recursive: true }))

it('a Chromium that was unpacked by half is unpacked again', async () => {
  const said = jest.spyOn(console, 'log').mockImplementation()
  const home = path.join(folder, 'chromium')
  await mkdir(home)
  await writeFile(path.join(home, 'chromium'), 'half of it')
  await chmod(path.join(home, 'chromium'), 0o700)

  await unpackChromium(home)
  expect(await readFile(path.join(home, 'fonts.conf'), 'utf8')).toContain(`<dir>${home}/fonts</dir>`)
  expect(said).toHaveBeenCalledTimes(1)

  await unpackChromium(home)
  expect(said).toHaveBeenCalledTimes(1)
  said.mockRestore()
}, 30_000)
