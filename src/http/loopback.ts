/** Whether an address or name means this machine and nothing else. */
export function isLoopback(host: string | undefined): boolean {
  return host !== undefined && /^(localhost|::1|\[::1\]|(::ffff:)?127(\.\d{1,3}){3})$/.test(host)
}

/** The name in a `Host` or `Origin` header, without scheme and port; undefined when it is none. */
export function hostnameOf(header: string | undefined): string | undefined {
  // What stands before an @ would be a user's name, and what stands after / a path: neither header has them.
  const authority = header?.replace(/^https?:\/\//, '')
  if (authority === undefined || !/^[^@/?#\\\s]+$/.test(authority)) return undefined
  const url = `http://${authority}`
  return URL.canParse(url) ? new URL(url).hostname : undefined
}

/** The origin of an `http://` address on this machine; undefined for any other text. */
export function loopbackOrigin(address: string | undefined): string | undefined {
  if (address === undefined || !URL.canParse(address)) return undefined
  const { protocol, hostname, origin } = new URL(address)
  return protocol === 'http:' && isLoopback(hostname) ? origin : undefined
}
