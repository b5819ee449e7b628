import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

const root = path.join(__dirname, '..')

/** `bin/run dev` on free ports, as somebody who has just cloned the repository meets it. */
async function startDev(...options: string[]) {
  const dev = spawn(process.execPath, ['bin/run', 'dev', ...options], {
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
      const ended = once(dev, 'exit')
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

it('the printed lines make Morgan a contact on the default list and start the automation once, time and again', async () => {
  for (let round = 0; round < 2; round++) {
    const dev = await startDev()
    try {
      const [identify, track, look] = dev.lines
      expect((await fetch(`${dev.bridge}/readyz`)).status).toBe(200)
      await paste(identify)
      expect(track).not.toContain('@')
      await paste(track)
      expect(JSON.parse(await paste(look))).toMatchObject(MORGAN)
    } finally {
      expect((await dev.stop()).code).toBe(0)
    }
  }
}, 60_000)

it('the second line finds Morgan also when everything was started anew after the first', async () => {
  const data = mkdtempSync(path.join(tmpdir(), 'dev-'))
  try {
    const before = await startDev('--data', data)
    await paste(before.lines[0])
    await before.stop()
    const after = await startDev('--data', data)
    await paste(after.lines[1])
    const known: unknown = JSON.parse(await paste(after.lines[2]))
    await after.stop()
    expect(known).toMatchObject(MORGAN)
  } finally {
    rmSync(data, { recursive: true })
  }
}, 60_000)
