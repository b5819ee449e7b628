import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { Option } from 'commander'
import { openAccount, type Account } from '../account/account'

/** Which server a command talks to. */
export const apiUrlOption = () =>
  new Option('--api-url <url>', 'EmailSendX').env('EMAILSENDX_API_URL').default('https://emailsendx.com')

/** For the help of commands that use {@link accountFor}. */
export const KEY_HELP = `
The API key is read from EMAILSENDX_API_KEY, or asked for. It is no option: others can see those with ps.`

/** The account that the key from the environment, or from the terminal, opens. */
export async function accountFor(apiUrl: string): Promise<Account> {
  const key = (process.env.EMAILSENDX_API_KEY || (await askForKey())).trim()
  if (!/^[\x21-\x7e]+$/.test(key)) throw new Error('the API key is empty or holds characters that no key has')
  return openAccount(apiUrl, key)
}

/** Asks on the terminal, without showing what is typed. */
async function askForKey(): Promise<string> {
  if (!process.stdin.isTTY) throw new Error('set EMAILSENDX_API_KEY to an API key (EmailSendX, Settings → API)')
  process.stderr.write('API key: ')
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    return await terminal.question('')
  } finally {
    terminal.close()
    process.stderr.write('\n')
  }
}
