import type { IncomingMessage } from 'node:http'
import { hostnameOf, isLoopback } from '../http/loopback'

/**
 * Tells whether a request came in on the loopback address under a name that is not ours, which is how a web page reaches a
 * local server after DNS rebinding. On any other address the names are for whoever opened it to choose.
 */
export function isForeignHost({ headers, socket }: IncomingMessage): boolean {
  const isLocal = socket.localAddress === undefined || isLoopback(socket.localAddress)
  return isLocal && !isLoopback(hostnameOf(headers.host))
}
