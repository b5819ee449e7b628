import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { watchFolder } from '../process/reload'

it('tells of the last file that changed, and cares for no test, package or hidden file', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'watched-'))
  const place = (file: string) => path.join(folder, file)
  const others = ['__tests__/a.test.ts', 'node_modules/a.js', '.git/index'].map(place)
  for (const file of others) await mkdir(path.dirname(file), { recursive: true })
  let tell: (file: string) => void = () => undefined
  const watcher = await watchFolder(folder, (file) => tell(file))
  try {
    const changed = new Promise((resolve) => (tell = resolve))
    for (const file of [place('first.ts'), place('last.ts'), ...others]) await writeFile(file, '')
    expect(await changed).toBe(place('last.ts'))
  } finally {
    await watcher.close()
    await rm(folder, { recursive: true })
  }
})
