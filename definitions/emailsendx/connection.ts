import { DEFAULT_API_URL } from './constants'
import { NotDelivered } from './errors'
import type { Settings } from './generated-types'
import { unusableUrl } from './outcome'

/** The address of the server, as the customer typed it. */
export function serverOf({ apiUrl }: Settings): string {
  return apiUrl?.trim() || DEFAULT_API_URL
}

/**
 * Origin of the server: `https://` is added where missing, as the vendor's client does. Plain http is for tools on this
 * machine, which set an environment variable; Segment's service has none, so that there it can't be talked into calling itself.
 * @throws NotDelivered for an address that would send the API key unencrypted, or is no address of a server.
 */
export function apiOrigin(server: string): string {
  if (server === DEFAULT_API_URL) return server
  const url = parseUrl(/^[a-z]+:\/\//i.test(server) ? server : `https://${server}`)
  if (!url) throw unusable('it is no web address')
  const isLocal = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname) && process.env.EMAILSENDX_ALLOW_HTTP === '1'
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal)) throw unusable('it must start with https://')
  if (!/^\/*(api\/v1)?\/*$/.test(url.pathname) || url.search || url.hash || url.username || url.password) {
    throw unusable('give only the address of the server, such as https://mail.example.com')
  }
  return url.origin
}

function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}

function unusable(reason: string): NotDelivered {
  return new NotDelivered(unusableUrl(`The API URL setting can't be used: ${reason}.`))
}

/** What every request has. A key that can't be sent is left out here; {@link checkSendable} refuses it before the request. */
export function requestOptions({ apiKey }: Settings): { headers: Record<string, string> } {
  const key = sendable(apiKey)
  return { headers: key === undefined ? {} : { Authorization: `Bearer ${key}` } }
}

/** @throws NotDelivered for a key that can't even be sent. */
export function checkSendable({ apiKey }: Settings): void {
  if (sendable(apiKey) !== undefined) return
  throw new NotDelivered({
    kind: 'unauthorized',
    status: 401,
    message:
      'The API Key setting is empty or contains characters that no key has. Paste the key from EmailSendX, Settings → API.'
  })
}

/** Any prefix is fine: test keys exist. */
function sendable(apiKey = ''): string | undefined {
  const key = apiKey.trim()
  return /^[\x21-\x7e]+$/.test(key) ? key : undefined
}
