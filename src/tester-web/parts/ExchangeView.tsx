import { useState } from 'preact/hooks'
import type { Exchange } from '../../serve/contract/exchanges'
import { toCurl } from '../model/curl'
import { clockMs } from '../model/words'
import { Copy } from './Copy'
import { Body } from './Json'

/**
 * One request of the destination and its answer, as a line that unfolds. The server has taken the key out. A batch may have
 * hundreds, so what is inside is only made once it is asked for.
 */
export function ExchangeView({ exchange: { request, response, timing } }: { exchange: Exchange }) {
  const [isOpen, setOpen] = useState(false)
  const tone = response === undefined || response.statusCode >= 300 ? 'bad' : 'good'
  return (
    <details class="exchange" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary class="exchange-line">
        <span class={`status ${tone}`}>{response?.statusCode ?? 'no answer'}</span> <RequestLine {...request} />
        {timing && (
          <span class="quiet timing">
            {clockMs(timing.at)} · {timing.ms} ms
          </span>
        )}
      </summary>
      {isOpen && (
        <div class="exchange-body">
          <Copy label="Copy as curl" text={() => toCurl(request)} />
          <p class="hint">
            The line takes the key from the variable <code>EMAILSENDX_API_KEY</code>.
          </p>
          <h5>Request</h5>
          <Headers headers={request.headers} />
          {request.body && <WithCopy body={request.body} label="Body of the request" />}
          {response && (
            <>
              <h5>
                Answer {response.statusCode} {response.statusMessage}
              </h5>
              <Headers headers={response.headers} />
              <WithCopy body={response.body} label="Body of the answer" />
            </>
          )}
        </div>
      )}
    </details>
  )
}

function WithCopy({ body, label }: { body: unknown; label: string }) {
  const text = () => (typeof body === 'string' ? body : JSON.stringify(body, null, 2))
  return (
    <>
      <Copy label={`Copy ${label.toLowerCase()}`} text={text} />
      <Body body={body} label={label} />
    </>
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
