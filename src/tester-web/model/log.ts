import type { Exchange } from '../../serve/contract/exchanges'

/** A request of which the time is known. */
export type Logged = Exchange & { timing: NonNullable<Exchange['timing']> }

/** Oldest first. */
export const chronological = (exchanges: Exchange[]): Logged[] =>
  exchanges.filter((one): one is Logged => one.timing !== undefined).sort((a, b) => a.timing.at - b.timing.at)

/** The groups a log is filtered by: `2xx`, `4xx` and so on. */
export const classOf = ({ response }: Exchange): string =>
  response ? `${String(response.statusCode)[0]}xx` : 'no answer'

const asText = (body: unknown): string => (typeof body === 'string' ? body : JSON.stringify(body) ?? '')

const pairs = (values: Record<string, string>) =>
  Object.entries(values).map(([name, value]) => ({ name, value: String(value) }))

/** The log as a HAR 1.2 file, which browsers and proxies open. The server has taken the key out already. */
export function toHar(log: Logged[]): object {
  return {
    log: {
      version: '1.2',
      creator: { name: 'EmailSendX for Segment', version: '1' },
      entries: log.map(({ request, response, timing }) => ({
        startedDateTime: new Date(timing.at).toISOString(),
        time: timing.ms,
        request: {
          method: request.method,
          url: request.url,
          httpVersion: 'HTTP/1.1',
          cookies: [],
          headers: pairs(request.headers),
          queryString: pairs(Object.fromEntries(new URL(request.url).searchParams)),
          headersSize: -1,
          bodySize: request.body.length,
          ...(request.body && { postData: { mimeType: 'application/json', text: request.body } })
        },
        response: {
          // 0 is HAR's word for a request without an answer.
          status: response?.statusCode ?? 0,
          statusText: response?.statusMessage ?? '',
          httpVersion: 'HTTP/1.1',
          cookies: [],
          headers: pairs(response?.headers ?? {}),
          content: {
            size: asText(response?.body).length,
            mimeType: response?.headers['content-type'] ?? '',
            text: asText(response?.body)
          },
          redirectURL: '',
          headersSize: -1,
          bodySize: -1
        },
        cache: {},
        timings: { send: 0, wait: timing.ms, receive: 0 }
      }))
    }
  }
}
