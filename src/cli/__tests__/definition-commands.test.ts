import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Command } from 'commander'
import { generateMetadataPayloadCommand, generateTypesCommand, validateCommand } from '../definition-commands'

const repository = path.resolve(__dirname, '../../..')
const shop = path.join(repository, 'src/actions-cli/__tests__/__helpers__/shop')

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shop-'))
  await cp(shop, folder, { recursive: true })
})
afterEach(() => rm(folder, { recursive: true }))

const relative = () => path.relative(process.cwd(), folder)
const contentOf = (file: string) => readFile(path.join(folder, file), 'utf8')

/** Runs a command in this process: what it prints, and the exit code it leaves. */
async function run(command: Command, ...args: string[]): Promise<{ code: number; out: string[]; err: string[] }> {
  const out = jest.spyOn(console, 'log').mockImplementation()
  const err = jest.spyOn(console, 'error').mockImplementation()
  const before = process.exitCode
  try {
    await command.parseAsync(args, { from: 'user' })
    return { code: Number(process.exitCode ?? 0), out: out.mock.calls.flat(), err: err.mock.calls.flat() }
  } finally {
    process.exitCode = before
    jest.restoreAllMocks()
  }
}

it.each([
  ['generate:types', generateTypesCommand, 'order/generated-types.ts'],
  ['generate:metadata-payload', generateMetadataPayloadCommand, 'metadata.json']
])('%s --check names a stale file and how to renew it; without --check it renews it', async (name, command, file) => {
  const fresh = await contentOf(file)
  await writeFile(path.join(folder, file), fresh + '\n')

  expect(await run(command(), '--check', relative())).toEqual({
    code: 1,
    out: [],
    err: [`${relative()}/${file} is stale: run bin/run ${name} ${relative()}`]
  })
  expect(await contentOf(file)).toBe(fresh + '\n')

  expect(await run(command(), relative())).toEqual({ code: 0, out: [`${relative()}/${file} written`], err: [] })
  expect(await contentOf(file)).toBe(fresh)

  expect(await run(command(), '--check', relative())).toEqual({
    code: 0,
    out: [`${name}: everything is up to date`],
    err: []
  })
})

it('validate prints every problem in a line, and fails', async () => {
  expect(await run(validateCommand(), folder)).toEqual({ code: 0, out: [`${relative()}: valid`], err: [] })

  const source = await contentOf('index.ts')
  const broken = source.replace('Places an order.', '').replace("type: 'password'", "type: 'string'")
  await writeFile(path.join(folder, 'index.ts'), broken)
  jest.resetModules()
  expect(await run(validateCommand(), folder)).toEqual({
    code: 1,
    out: [],
    err: [
      `${relative()}: action "order": no description`,
      `${relative()}: setting "apiKey": sounds like a secret, so its type must be password, not string`
    ]
  })
})

it('bin/run checks the destinations of this repository from any directory when no folder is given', async () => {
  const { stdout } = await promisify(execFile)(path.join(repository, 'bin/run'), ['validate'], { cwd: folder })
  expect(stdout).toMatch(/definitions\/emailsendx: valid\n$/)
}, 30_000)
