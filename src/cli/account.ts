import { Option } from 'commander'
import { openAccount, type Account } from '../account/account'
import { readKey } from './terminal'

/** Which server a command talks to. */
export const apiUrlOption = () =>
  new Option('--api-url <url>', 'EmailSendX').env('EMAILSENDX_API_URL').default('https://emailsendx.com')

/** For the help of commands that use {@link accountFor}. */
export const KEY_HELP = `
The API key is read from EMAILSENDX_API_KEY, or asked for. It is no option: others can see those with ps.`

/** The account that the key from the environment, or from the terminal, opens. */
export async function accountFor(apiUrl: string): Promise<Account> {
  const key = await readKey()
  if (!/^[\x21-\x7e]+$/.test(key)) throw new Error('the API key holds characters that no key has')
  return openAccount(apiUrl, key)
}
