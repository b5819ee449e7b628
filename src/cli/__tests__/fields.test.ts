import path from 'node:path'
import { SANDBOX_KEY, startSandbox, type Sandbox } from '../../sandbox'
import { fieldsCommand } from '../fields'

const identify = path.resolve(__dirname, '../../../.segment/events/identify.json')

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ port: 0 })
})
afterAll(() => sandbox.close())

const ownKey = process.env.EMAILSENDX_API_KEY
afterEach(() => {
  jest.restoreAllMocks()
  if (ownKey === undefined) delete process.env.EMAILSENDX_API_KEY
  else process.env.EMAILSENDX_API_KEY = ownKey
})

/** What the command prints. */
async function run(args: string[], key: string | undefined = SANDBOX_KEY): Promise<string> {
  const out = jest.spyOn(console, 'log').mockImplementation()
  process.env.EMAILSENDX_API_KEY = key
  await fieldsCommand().parseAsync(['--from', identify, '--api-url', sandbox.url, ...args], { from: 'user' })
  const printed = out.mock.calls.flat().join('\n')
  out.mockRestore()
  return printed
}

it('lists, creates, and then finds nothing missing', async () => {
  const before = await run([])
  expect(before).toMatch(/^trait +seen +type +custom field\n/)
  expect(before).toMatch(/\nplan +1 +text +plan +missing\n/)
  expect(before).toMatch(/\nsignupSource +1 +text +signup_source +missing +arrives as signupSource\n/)
  expect(before).toContain('--create creates them')

  expect(await run(['--create'])).toMatch(/\nplan +1 +text +plan +created\n/)
  expect(await run(['--create'])).toMatch(/No custom field is missing\.$/)
  expect(JSON.parse(await run(['--json']))).toMatchObject({ identifies: 1, created: [] })
})

it('sends no key over plain http to another machine', async () => {
  await expect(run(['--api-url', 'http://emailsendx.com'])).rejects.toThrow('must start with https://')
})

it('refuses a key that could not be sent', async () => {
  await expect(run([], 'two words')).rejects.toThrow('holds characters that no key has')
})
