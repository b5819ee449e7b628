import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { forgetContacts } from '../../../../definitions/emailsendx/functions'
import { replayCommand } from '../../../cli/replay'

const BIN = path.resolve(__dirname, '../../../../bin/run')

export interface Ended {
  code: number | null
  out: string
  err: string
}

/** `bin/run replay` in a process of its own. */
export class Command {
  private readonly process: ChildProcess
  private out = ''
  private err = ''
  readonly ended: Promise<Ended>

  constructor(args: string[], environment: NodeJS.ProcessEnv, input?: string) {
    this.process = spawn(process.execPath, [BIN, 'replay', ...args], { env: { ...process.env, ...environment } })
    this.process.stdout?.on('data', (text: Buffer) => (this.out += text.toString()))
    this.process.stderr?.on('data', (text: Buffer) => (this.err += text.toString()))
    this.process.stdin?.on('error', () => undefined).end(input ?? '')
    this.ended = once(this.process, 'close').then(([code]) => ({
      code: code as number | null,
      out: this.out,
      err: this.err
    }))
  }

  /** Kills it; false when it was over already. */
  async kill(signal: NodeJS.Signals): Promise<boolean> {
    const isAlive = this.process.exitCode === null && this.process.kill(signal)
    await this.ended
    return isAlive
  }
}

/**
 * `bin/run replay` in this process, as new: it has to be neither killed nor given input.
 * @returns what it prints
 * @throws what the command line would print in one line
 */
export async function replayHere(args: string[], apiKey: string): Promise<string> {
  const log = jest.spyOn(console, 'log').mockImplementation()
  const { EMAILSENDX_API_KEY: before } = process.env
  process.env.EMAILSENDX_API_KEY = apiKey
  forgetContacts()
  try {
    const command = replayCommand()
      .exitOverride()
      .configureOutput({ writeErr: () => undefined })
    await command.parseAsync(args, { from: 'user' })
    return log.mock.calls.flat().join('\n')
  } finally {
    log.mockRestore()
    if (before === undefined) delete process.env.EMAILSENDX_API_KEY
    else process.env.EMAILSENDX_API_KEY = before
  }
}
