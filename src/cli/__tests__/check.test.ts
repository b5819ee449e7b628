import { SANDBOX_KEY, startSandbox, type Sandbox } from '../../sandbox'
import { checkCommand } from '../check'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ port: 0, rateLimit: 1000 })
})
afterAll(() => sandbox.close())

const ownKey = process.env.EMAILSENDX_API_KEY
afterEach(() => {
  jest.restoreAllMocks()
  if (ownKey === undefined) delete process.env.EMAILSENDX_API_KEY
  else process.env.EMAILSENDX_API_KEY = ownKey
})

/** What the command prints, and the exit code it leaves. */
async function run(args: string[], key = SANDBOX_KEY): Promise<{ out: string; code: number }> {
  const out = jest.spyOn(console, 'log').mockImplementation()
  const before = process.exitCode
  process.env.EMAILSENDX_API_KEY = key
  try {
    await checkCommand().parseAsync(['--api-url', sandbox.url, ...args], { from: 'user' })
    return { out: out.mock.calls.flat().join('\n'), code: Number(process.exitCode ?? 0) }
  } finally {
    process.exitCode = before
  }
}

it('prints what works, what is open, and last what to change', async () => {
  const { out, code } = await run([])
  expect(code).toBe(0)
  expect(out).toMatch(/^address +ok +answers\nAPI key +ok +valid\nworkspace +ok +EmailSendX Sandbox\n/)
  expect(out).toMatch(/\nstatusFilter +confirmed +status=nonsense is answered 400\n/)
  expect(out.split('\n').at(-1)).toMatch(/^\d+ calls\. Nothing to change in the settings\.$/)
})

it('fails when the settings must be changed', async () => {
  const { out, code } = await run([], 'esx_live_wrong')
  expect(code).toBe(1)
  expect(out.split('\n').at(-1)).toContain('Paste a valid API key')
  expect(out).not.toContain('esx_live_wrong')
})

it('tells machines and issues the same', async () => {
  expect(JSON.parse((await run(['--json'])).out)).toMatchObject({ findings: expect.any(Array), left: [] })
  jest.restoreAllMocks()
  expect((await run(['--paste'])).out).toMatch(
    /^### Check of an EmailSendX account: \d+ confirmed, 0 contradicted, \d+ not tested\n/
  )
})

it('says what it leaves behind when it may write', async () => {
  const { out } = await run(['--write', 'clx_list_newsletter_id', '--email', 'me@example.com'])
  expect(out).toContain('Left behind, since nothing can be deleted:\n- the contact with the address you named')
})

it.each([
  [['--write', 'clx_list_newsletter_id'], '--write needs --email ADDRESS'],
  [['--email', 'me@example.com'], 'belong to --write LIST_ID'],
  [['--write', 'clx_gone', '--email', 'me@example.com'], 'there is no such list; nothing was written']
])('refuses %j', async (args, message) => {
  await expect(run(args)).rejects.toThrow(message)
})
