import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

const repository = path.resolve(__dirname, '../../..')
const shop = path.join(repository, 'src/definition/__tests__/fixtures/shop')

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shop-'))
  await cp(shop, folder, { recursive: true })
})
afterEach(() => rm(folder, { recursive: true }))

/** Runs `bin/run` in the parent of the folder, where the folder is called by its name. */
function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const command = [path.join(repository, 'bin/run'), ...args]
    const child = execFile(process.execPath, command, { cwd: path.dirname(folder) }, (_, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err })
    )
  })
}

const name = () => path.basename(folder)
const contentOf = (file: string) => readFile(path.join(folder, file), 'utf8')

it.each([
  ['generate:types', 'order/generated-types.ts'],
  ['generate:metadata-payload', 'metadata.json']
])('%s --check names a stale %s and how to renew it; without --check it renews it', async (command, file) => {
  const fresh = await contentOf(file)
  await writeFile(path.join(folder, file), fresh + '\n')

  expect(await run(command, '--check', name())).toEqual({
    code: 1,
    out: '',
    err: `${name()}/${file} is stale: run bin/run ${command} ${name()}\n`
  })
  expect(await contentOf(file)).toBe(fresh + '\n')

  expect(await run(command, name())).toEqual({ code: 0, out: `${name()}/${file} written\n`, err: '' })
  expect(await contentOf(file)).toBe(fresh)

  expect(await run(command, '--check', name())).toEqual({
    code: 0,
    out: `${command}: everything is up to date\n`,
    err: ''
  })
})

it('validate names every problem in a line, and fails', async () => {
  expect(await run('validate', name())).toEqual({ code: 0, out: `${name()}: valid\n`, err: '' })

  const source = await contentOf('index.ts')
  await writeFile(
    path.join(folder, 'index.ts'),
    source.replace('Places an order.', '').replace("type: 'password'", "type: 'string'")
  )
  expect(await run('validate', name())).toEqual({
    code: 1,
    out: '',
    err:
      `${name()}: action "order": no description\n` +
      `${name()}: setting "apiKey": sounds like a secret, so its type must be password, not string\n`
  })
})

it('says in one line that a folder is no destination', async () => {
  expect(await run('validate', 'nowhere')).toEqual({
    code: 1,
    out: '',
    err: 'error: nowhere: no index.ts here; give the folder of a destination\n'
  })
})

it('checks the destinations of this repository from any directory when no folder is given', async () => {
  const { code, out } = await run('validate')
  expect(code).toBe(0)
  expect(out).toMatch(/definitions\/emailsendx: valid\n$/)
})
