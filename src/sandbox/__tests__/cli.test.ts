import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { startSandbox } from '..'

const run = join(__dirname, '../../../bin/run')
const children: ChildProcess[] = []
afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')))

/** Starts `bin/run sandbox`; `text` collects what it prints. */
function sandbox(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [run, 'sandbox', ...args], { env: { ...process.env, ...env } })
  children.push(child)
  const printed = { text: '', errors: '' }
  child.stdout.on('data', (chunk) => (printed.text += chunk))
  child.stderr.on('data', (chunk) => (printed.errors += chunk))
  return {
    child,
    printed,
    ended: once(child, 'close').then(([code]) => code as number),
    async line(pattern: RegExp): Promise<string> {
      while (!pattern.test(printed.text))
        await Promise.race([
          once(child.stdout, 'data'),
          once(child, 'close').then(() => {
            throw new Error(printed.errors)
          })
        ])
      return pattern.exec(printed.text)?.[1] ?? ''
    }
  }
}

it('prints the address, the key and a curl line that works, and ends with Ctrl-C', async () => {
  const { child, line, ended, printed } = sandbox(['--rate-limit', '7', '--event-match', 'normalized'], {
    SANDBOX_PORT: '0'
  })
  const [, header, url] = /^curl -H '(.*)' (http:\S+)$/.exec(await line(/^Try +(curl .*)$/m)) ?? []
  const [name, value] = header.split(': ')
  const answer = await fetch(url, { headers: { [name]: value } })
  expect([answer.status, answer.headers.get('x-ratelimit-limit')]).toEqual([200, '7'])
  const state = await fetch(await line(/^What it holds +(\S+)$/m))
  expect(await state.json()).toMatchObject({ settings: { eventMatch: 'normalized' } })
  const control = `${new URL(url).origin}/_sandbox`
  await fetch(`${control}/stream`)
  const headers = { 'Content-Type': 'application/json' }
  await fetch(`${control}/faults`, { method: 'POST', headers, body: '{"kind":"delay","delayMs":600000}' })
  const delayed = fetch(url, { headers: { [name]: value } }).catch(() => 'cut')
  const waiting = async () => ((await (await fetch(`${control}/faults`)).json()) as { faults: unknown[] }).faults.length
  while (await waiting()) continue
  child.kill('SIGINT')
  expect(await ended).toBe(0)
  expect(await delayed).toBe('cut')
  expect(printed.errors).toBe('')
}, 30_000)

it('says in one line why it does not start', async () => {
  const { port, close } = await startSandbox({ port: 0 })
  const { ended, printed } = sandbox(['--port', String(port)])
  expect(await ended).toBe(1)
  expect(printed.errors).toMatch(/^error: port \d+ is in use: .*\n$/)
  await close()
}, 30_000)
