import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export const CUSTOMER_KEY = 'esx_test_customer'
/** A key that begins like this was accepted before, and is never answered now. */
export const HANGING_KEY = 'esx_test_hanging_'
export const HANGING_KEYS = 1_000

/** An EmailSendX that knows one customer, and customers that it is in trouble with; all other keys it refuses. */
export interface Api {
  url: string
  /** Told of each contact of the customer, as it arrives. */
  onContact: (email: string) => void
  /** Calls that are waiting for an answer now. */
  hanging: number
  close(): void
}

export async function startApi(): Promise<Api> {
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const key = request.headers.authorization?.replace('Bearer ', '') ?? ''
    if (key.startsWith(HANGING_KEY)) {
      api.hanging++
      response.on('close', () => api.hanging--)
      return
    }
    if (key !== CUSTOMER_KEY) {
      response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":"Invalid API key"}')
      return
    }
    const { contacts = [] } = JSON.parse(Buffer.concat(chunks).toString() || '{}') as { contacts?: { email: string }[] }
    for (const { email } of contacts) api.onContact(email)
    response.setHeader('content-type', 'application/json')
    response.end('{"data":{"summary":{"failed":0},"errors":[]}}')
  }

  const api: Api = {
    url,
    onContact: () => undefined,
    hanging: 0,
    close() {
      server.closeAllConnections()
      server.close()
    }
  }
  return api
}
