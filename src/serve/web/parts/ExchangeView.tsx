import type { Exchange } from '../../exchanges'
import { toCurl } from '../model/curl'
import { Copy } from './Copy'
import { Body } from './Json'

/** One request of the destination and its answer. The server has taken the key out. */
export function ExchangeView({ exchange: { request, response } }: { exchange: Exchange }) {
  return (
    <details class="exchange">
      <summary class="exchange-line">
        <span class={`status ${response.statusCode < 300 ? 'good' : 'bad'}`}>{response.statusCode}</span>{' '}
        <RequestLine {...request} />
      </summary>
      <div class="exchange-body">
        <RequestView request={request} />
        <h5>
          Answer {response.statusCode} {response.statusMessage}
        </h5>
        <Headers headers={response.headers} />
        <Body body={response.body} label="Body of the answer" />
      </div>
    </details>
  )
}

/** A request that has no answer yet, or got none. */
export function Unanswered({ request, words }: { request: Exchange['request']; words: string }) {
  return (
    <details class="exchange">
      <summary class="exchange-line">
        <span class="status quiet">{words}</span> <RequestLine {...request} />
      </summary>
      <div class="exchange-body">
        <RequestView request={request} />
      </div>
    </details>
  )
}

/** Method and path: where it goes is the same for all. */
export function RequestLine({ method, url }: { method: string; url: string }) {
  const { pathname, search } = new URL(url)
  return (
    <>
      <span class="method">{method}</span> <span class="url">{`${pathname}${search}`}</span>
    </>
  )
}

function RequestView({ request }: { request: Exchange['request'] }) {
  return (
    <>
      <Copy label="Copy as curl" text={() => toCurl(request)} />
      <h5>Request</h5>
      <Headers headers={request.headers} />
      {request.body && <Body body={request.body} label="Body of the request" />}
    </>
  )
}

function Headers({ headers }: { headers: Record<string, string> }) {
  return (
    <dl class="headers">
      {Object.entries(headers).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
