/** What an API answers. */
export interface Answer {
  status: number
  body?: object
}

/** A request as a destination made it. */
export interface Sent {
  method: string
  url: URL
  /** The body, for those who ask. */
  text: () => Promise<string>
}

interface FetchModule {
  Response: new (body: string, init: { status: number; headers: Record<string, string> }) => unknown
}
interface FetchRequest {
  method: string
  url: string
  text: () => Promise<string>
}

/**
 * A network that costs next to nothing: it takes the place of `fetch` before actions-core loads, so that what is measured is what
 * a destination and the core do, not sockets.
 */
export class Network {
  requests = 0
  answer: (sent: Sent) => Answer | Promise<Answer> = () => ({ status: 200, body: {} })

  /** @param requireFromBench require() of the folder whose actions-core it is for */
  constructor(requireFromBench: NodeRequire) {
    const file = requireFromBench.resolve('cross-fetch')
    const original = requireFromBench(file) as FetchModule
    const fetch = async (request: FetchRequest) => {
      this.requests++
      const { method, url } = request
      const { status, body } = await this.answer({ method, url: new URL(url), text: () => request.text() })
      const headers = { 'content-type': 'application/json' }
      return new original.Response(body === undefined ? '' : JSON.stringify(body), { status, headers })
    }
    const cached = requireFromBench.cache[file]
    if (cached) cached.exports = Object.assign(fetch, original, { default: fetch, fetch })
  }
}
