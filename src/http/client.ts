const load = () => import('got')

export type HttpClient = Awaited<ReturnType<typeof load>>['got']

const MAX_WAIT_MS = 30_000

/**
 * HTTP for everything but the destination, whose requests are Segment's to make. Every status is an answer, a redirect too; only
 * a request that got none throws, with a `code` that says why. Nothing is sent twice. Options of got change each of these.
 */
export async function httpClient(): Promise<HttpClient> {
  // An ESM package: TypeScript lets CommonJS have it in no other way.
  const { got } = await load()
  return got.extend({
    throwHttpErrors: false,
    followRedirect: false,
    retry: { limit: 0 },
    timeout: { request: MAX_WAIT_MS }
  })
}
