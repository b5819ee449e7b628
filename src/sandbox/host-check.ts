import type { FastifyInstance } from 'fastify'
import { ApiError } from './http'

/** Refuses requests under another host's name, so that a web page cannot reach the sandbox by DNS rebinding. */
export function addHostCheck(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ headers }) => {
    if (!isLoopbackHost(headers.host)) {
      throw new ApiError(403, 'Host not allowed: use http://127.0.0.1 or http://localhost, or start with --host')
    }
  })
}

/** @param authority host with or without port, as in a Host header */
export function isLoopbackHost(authority: string | undefined): boolean {
  const url = `http://${authority}`
  if (authority === undefined || !URL.canParse(url)) return false
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname.endsWith('.localhost') || isLoopbackAddress(hostname)
}

/** @param address IPv4 or IPv6, the latter with or without brackets */
export function isLoopbackAddress(address: string): boolean {
  const plain = address.replace(/^\[|\]$/g, '').replace(/^::ffff:/, '')
  return plain === '::1' || /^127(\.\d{1,3}){3}$/.test(plain)
}
