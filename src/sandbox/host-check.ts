import type { FastifyInstance } from 'fastify'
import { hostnameOf, isLoopback } from '../http/loopback'
import { ApiError } from './http'

/** Refuses requests under another host's name, so that a web page cannot reach the sandbox by DNS rebinding. */
export function addHostCheck(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ headers }) => {
    if (!isLoopback(hostnameOf(headers.host))) {
      throw new ApiError(403, 'Host not allowed: use http://127.0.0.1 or http://localhost, or start with --host')
    }
  })
}
