import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

const root = path.join(__dirname, '..')

/** `bin/run` on free ports, as somebody who has just cloned the repository meets it. */
async function startDev(...args: string[]) {
  const dev = spawn(process.execPath, ['bin/run', ...args], {
    cwd: root,
    env: { ...process.env, PORT: '0', SANDBOX_PORT: '0', BRIDGE_PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let output = ''
  const ready = new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString()
      if (output.includes('Ctrl-C')) resolve()
    }
    dev.stdout.on('data', read)
    dev.stderr.on('data', read)
    dev.once('exit', (code) => reject(new Error(`dev ended with ${code}: ${output}`)))
  })
  await ready
  return {
    bridge: /Bridge +(\S+)/.exec(output)?.[1] ?? '',
    /** The lines it prints to be pasted, in their order. */
    lines: output.split('\n').filter((line) => line.trim().startsWith('curl ')),
    async stop() {
      dev.removeAllListeners('exit')
      const ended = once(dev, 'close')
      dev.kill('SIGINT')
      const [code] = (await ended) as [number | null]
      return { code, output }
    }
  }
}

const paste = async (line: string) => (await promisify(execFile)('sh', ['-c', line], { maxBuffer: 1e7 })).stdout

const MORGAN = {
  contact: {
    email: 'morgan@acme.com',
    firstName: 'Morgan',
    lastName: 'Lee',
    metadata: { plan: 'pro', company: 'Acme Corp', signupSource: 'landing' }
  },
  lists: [{ id: 'clx_list_newsletter_id' }],
  events: [{ name: 'purchase_completed' }],
  automationRuns: [{ eventName: 'purchase_completed' }]
}

it('without a command runs everything, the printed lines make Morgan a contact on the default list and start the automation once', async () => {
  const dev = await startDev()
  const [identify, track, look] = dev.lines
  expect((await fetch(`${dev.bridge}/readyz`)).status).toBe(200)
  await paste(identify)
  expect(track).not.toContain('@')
  await paste(track)
  expect(JSON.parse(await paste(look))).toMatchObject(MORGAN)
  expect((await fetch(`${dev.bridge}/api/segment/track`, { method: 'POST', body: '{}' })).status).toBe(401)
  const { code, output } = await dev.stop()
  expect(code).toBe(0)
  expect(output).toMatch(/^EmailSendX for Segment: starting /)
  expect(output).toContain('All of it is in memory only: --data DIR keeps it. Ctrl-C ends everything.')
  expect(output).toMatch(/^ {2}bridge: refused a request \(.*401\)$/m)
  // Nothing of it is for machines.
  expect(output).not.toMatch(/^\{/m)
}, 60_000)

it('the second line finds Morgan also when everything was started anew after the first', async () => {
  const data = mkdtempSync(path.join(tmpdir(), 'dev-'))
  try {
    const before = await startDev('dev', '--data', data)
    await paste(before.lines[0])
    await before.stop()
    const after = await startDev('dev', '--data', data)
    await paste(after.lines[1])
    const known: unknown = JSON.parse(await paste(after.lines[2]))
    await after.stop()
    expect(known).toMatchObject(MORGAN)
  } finally {
    rmSync(data, { recursive: true })
  }
}, 60_000)
