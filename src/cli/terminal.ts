import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

/** Whether somebody sits there to be asked; when the events come by standard input, nobody can answer. */
export function isInteractive(files: string[]): boolean {
  return Boolean(process.stdin.isTTY && process.stderr.isTTY) && !files.includes('-')
}

export async function confirm(question: string): Promise<boolean> {
  return /^y(es)?$/i.test((await ask(`${question} [y/N] `, process.stderr)).trim())
}

/** The API key: EMAILSENDX_API_KEY, or what is typed unseen. @throws Error when there is none */
export async function readKey(): Promise<string> {
  const key = (process.env.EMAILSENDX_API_KEY || (isInteractive([]) ? await askForKey() : '')).trim()
  if (key === '') throw new Error('no API key: set EMAILSENDX_API_KEY to the one from EmailSendX, Settings → API')
  return key
}

async function askForKey(): Promise<string> {
  process.stderr.write('EmailSendX API key: ')
  const answer = await ask('', new Writable({ write: (_chunk, _encoding, done) => done() }))
  process.stderr.write('\n')
  return answer
}

async function ask(question: string, output: NodeJS.WritableStream): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output, terminal: true })
  const ended = new Promise<string>((resolve) => terminal.once('close', () => resolve('')))
  try {
    return await Promise.race([terminal.question(question), ended])
  } finally {
    terminal.close()
  }
}
