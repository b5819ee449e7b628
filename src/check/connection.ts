import type { Account, Answer } from '../account/account'
import { codeOf, isPage } from './ask'
import type { Finding } from './report'

const about = 'address'
const CHECK_URL = 'Correct the API URL.'

const change = (says: string, change = CHECK_URL): Finding => ({ about, mark: 'change', says, change })

/** Asks who the key belongs to, which every server answers somehow: tells a wrong address from a wrong key. */
export async function connect(account: Account): Promise<{ finding: Finding; answer?: Answer }> {
  try {
    const answer = await account.call('GET', 'whoami')
    return { finding: judgeAnswer(answer, account.origin), answer }
  } catch (error) {
    return { finding: judgeFailure(codeOf(error)) }
  }
}

function judgeAnswer(answer: Answer, origin: string): Finding {
  const { status, headers, body } = answer
  if (status >= 300 && status < 400) return redirect(headers.location, origin)
  if (status >= 500) return { about, mark: 'unknown', says: `the server has a problem: it answers ${status}` }
  // A server without whoami answers it with the page of its website.
  if (typeof body === 'object' || (status === 404 && isPage(answer))) return { about, mark: 'ok', says: 'answers' }
  return change(`something answers (${status}), but not with the JSON of EmailSendX's API`)
}

function redirect(location: string | undefined, origin: string): Finding {
  const target = location !== undefined && URL.canParse(location, origin) ? new URL(location, origin) : undefined
  if (!target || target.origin === origin) return change('redirects to another of its own pages: it is not the API')
  return change(`redirects to ${target.origin}`, `Set the API URL to ${target.origin}.`)
}

const CERTIFICATE = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT)/
const NO_TLS = /^(EPROTO|ERR_SSL_)/
const NAME = /^(ENOTFOUND|EAI_)/

/** What a request that got no answer tells about the address. @param code of Node's error */
export function judgeFailure(code: string): Finding {
  if (NAME.test(code)) return change(`DNS knows no such host (${code})`)
  if (CERTIFICATE.test(code))
    return change(
      `its TLS certificate can't be trusted (${code})`,
      "Renew the server's certificate, or correct the API URL."
    )
  if (NO_TLS.test(code)) return change(`does not speak TLS there (${code})`)
  if (code === 'ECONNREFUSED') return change(`nothing listens there (${code})`)
  return { about, mark: 'unknown', says: `no answer (${code}): try again, then look at firewalls and proxies` }
}
