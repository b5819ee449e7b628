/** The origin under which this machine reaches a server that listens on `host`. */
export function originOf(host: string, port: number): string {
  if (host === '0.0.0.0' || host === '::') return `http://127.0.0.1:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/**
 * Why a server cannot listen, in one line that says what to do; any other error as it is.
 * @param remedy how to choose another port, such as `choose another with --port`
 */
export function explainListening(error: unknown, host: string, port: number, remedy: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') return new Error(`port ${port} is in use: stop what uses it, or ${remedy}`)
  if (code === 'EACCES') return new Error(`port ${port} may not be opened by this user: ${remedy}`)
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new Error(`${host} is no address of this machine: correct --host`)
  }
  return error
}
