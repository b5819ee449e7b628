/** Whether an address or name means this machine and nothing else. */
export function isLoopback(host: string): boolean {
  return /^(localhost|::1|\[::1\]|(::ffff:)?127(\.\d{1,3}){3})$/.test(host)
}

/** The name in a `Host` or `Origin` header, without scheme and port; undefined when it is none. */
export function hostnameOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  const url = header.includes('://') ? header : `http://${header}`
  return URL.canParse(url) ? new URL(url).hostname : undefined
}
