import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { Exchange } from '../../serve/contract/exchanges'
import { toCurl } from '../model/curl'
import { Copy } from './Copy'
import { Body } from './Json'

/** One request of the destination and its answer. The server has taken the key out. */
export function ExchangeView({ exchange: { request, response } }: { exchange: Exchange }) {
  return (
    <Unfolding status={response.statusCode} request={request}>
      <h5>
        Answer {response.statusCode} {response.statusMessage}
      </h5>
      <Headers headers={response.headers} />
      <Body body={response.body} label="Body of the answer" />
    </Unfolding>
  )
}

/** A request that has no answer yet, or got none. */
export const Unanswered = ({ request, words }: { request: Exchange['request']; words: string }) => (
  <Unfolding status={words} request={request} />
)

interface UnfoldingProps {
  status: number | string
  request: Exchange['request']
  children?: ComponentChildren
}

/** A line that unfolds. A batch may have hundreds, so what is inside is only made once it is asked for. */
function Unfolding({ status, request, children }: UnfoldingProps) {
  const [isOpen, setOpen] = useState(false)
  const tone = typeof status === 'string' ? 'quiet' : status < 300 ? 'good' : 'bad'
  return (
    <details class="exchange" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary class="exchange-line">
        <span class={`status ${tone}`}>{status}</span> <RequestLine {...request} />
      </summary>
      {isOpen && (
        <div class="exchange-body">
          <Copy label="Copy as curl" text={() => toCurl(request)} />
          <h5>Request</h5>
          <Headers headers={request.headers} />
          {request.body && <Body body={request.body} label="Body of the request" />}
          {children}
        </div>
      )}
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
