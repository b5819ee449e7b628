import type { Exchange } from '../../serve/contract/exchanges'

/** Headers a person would send, too. The key stays out: the shell puts it in. */
const HEADERS = ['accept', 'content-type']

/** A request as a line for the shell that makes it again. */
export function toCurl({ method, url, headers, body }: Exchange['request']): string {
  const lines = [
    `curl ${method === 'GET' ? '' : `-X ${method} `}${quote(url)}`,
    '-H "Authorization: Bearer $EMAILSENDX_API_KEY"',
    ...HEADERS.filter((name) => headers[name]).map((name) => `-H ${quote(`${name}: ${headers[name]}`)}`),
    ...(body ? [`--data-raw ${quote(body)}`] : [])
  ]
  return lines.join(' \\\n  ')
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
