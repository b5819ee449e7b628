import type { IncomingMessage } from 'node:http'

const LOOPBACK_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i
const LOOPBACK_ADDRESS = /^(127\.|::1$|::ffff:127\.)/

/**
 * Tells whether a request came in on the loopback address under a name that is not ours, which is how a web page reaches a
 * local server after DNS rebinding. On any other address the names are for whoever opened it to choose.
 */
export function isForeignHost({ headers, socket }: IncomingMessage): boolean {
  const local = socket.localAddress === undefined || LOOPBACK_ADDRESS.test(socket.localAddress)
  return local && !LOOPBACK_HOST.test(headers.host ?? '')
}
