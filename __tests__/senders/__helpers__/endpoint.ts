import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

/** One call as a library sent it. */
export type Call = Record<string, unknown> & { type: string }

export const WRITE_KEY = 'write-key'

/** The website that the libraries for browsers run on. `window.analytics` collects calls until the library takes over. */
const page = (script: string) => `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Acme</title>
<link rel="icon" href="data:,">
<script>
window.analytics = []
analytics._writeKey = '${WRITE_KEY}'
analytics._cdn = location.origin
for (const method of ['addSourceMiddleware', 'identify', 'track']) {
  analytics[method] = (...args) => { analytics.push([method, ...args]) }
}
</script>
${script}
</head>
<body></body>
</html>
`

/** What Segment's and RudderStack's servers tell their libraries: send here, and to nobody else. */
const configs = (host: string) => ({
  segment: {
    integrations: { 'Segment.io': { apiKey: WRITE_KEY, apiHost: `${host}/v1`, protocol: 'http' } },
    plan: { track: { __default: { enabled: true } } },
    metrics: { sampleRate: 0 }
  },
  rudderstack: {
    source: {
      id: 'source',
      name: 'Acme',
      writeKey: WRITE_KEY,
      enabled: true,
      config: {},
      destinations: [],
      workspaceId: 'w'
    }
  }
})

/** A server on this machine that is the website, Segment's CDN and both data planes at once, and keeps what it is sent. */
export async function startEndpoint() {
  const calls: Call[] = []
  const arrived = new Set<() => void>()

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    response.setHeader('Access-Control-Allow-Origin', '*').setHeader('Access-Control-Allow-Headers', '*')
    if (request.method === 'POST') {
      calls.push(...callsIn(await bodyOf(request)))
      for (const look of [...arrived]) look()
      return response.setHeader('Content-Type', 'application/json').end('{"success":true}')
    }
    if (request.method === 'OPTIONS') return response.end()
    const { type, body } = await content(request.url ?? '', request.headers.host ?? '')
    return response.writeHead(body === undefined ? 404 : 200, { 'Content-Type': type }).end(body)
  }
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    origin,
    /** The calls since the last time, as soon as there are `count`. */
    async take(count: number): Promise<Call[]> {
      await new Promise<void>((resolve) => {
        const look = () => {
          if (calls.length < count) return
          arrived.delete(look)
          resolve()
        }
        arrived.add(look)
        look()
      })
      return calls.splice(0)
    },
    close: () => new Promise<void>((resolve) => server.close(() => resolve()).closeAllConnections())
  }
}
export type Endpoint = Awaited<ReturnType<typeof startEndpoint>>

const SEGMENT = 'node_modules/@segment/analytics-next/dist/umd/'
const RUDDERSTACK = 'node_modules/@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js'

async function content(url: string, host: string): Promise<{ type: string; body?: string | Buffer }> {
  const html = (script: string) => ({ type: 'text/html', body: page(`<script src="${script}"></script>`) })
  const json = (value: object) => ({ type: 'application/json', body: JSON.stringify(value) })
  const script = async (file: string) => ({ type: 'text/javascript', body: await readFile(file) })
  const { pathname } = new URL(url, 'http://localhost')
  if (pathname === '/segment') return html(`/analytics.js/v1/${WRITE_KEY}/analytics.min.js`)
  if (pathname === '/rudderstack') return html('/rudderstack.js')
  if (pathname === `/v1/projects/${WRITE_KEY}/settings`) return json(configs(host).segment)
  if (pathname.startsWith('/sourceConfig')) return json(configs(host).rudderstack)
  if (pathname === `/analytics.js/v1/${WRITE_KEY}/analytics.min.js`) return script(`${SEGMENT}standalone.js`)
  if (pathname === '/rudderstack.js') return script(RUDDERSTACK)
  const [bundle] = /[\w.-]+\.bundle\.\w+\.js$/.exec(pathname) ?? []
  return bundle ? script(SEGMENT + bundle) : { type: 'text/plain' }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const bytes = Buffer.concat(chunks)
  const isZipped = bytes[0] === 0x1f && bytes[1] === 0x8b
  return JSON.parse((isZipped ? gunzipSync(bytes) : bytes).toString())
}

function callsIn(body: unknown): Call[] {
  const { batch } = body as { batch?: Call[] }
  return batch ?? [body as Call]
}
