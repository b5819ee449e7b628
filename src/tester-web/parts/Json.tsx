import { jsonOf } from '../../http/json'
import { visible } from '../model/words'

/** A JSON value, indented and coloured. It is text throughout, whatever is in it. */
export function Json({ value, label }: { value: unknown; label: string }) {
  return (
    <pre class="json" tabIndex={0} role="region" aria-label={label}>
      {coloured(visible(JSON.stringify(value, null, 2) ?? ''))}
    </pre>
  )
}

/** A key, a text, or a number or word, as JSON.stringify writes them. */
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|-?\d[\d.eE+-]*|true|false|null/g

/** Beyond this many characters colours cost more time than they save. */
const COLOURED = 20_000

function coloured(json: string) {
  if (json.length > COLOURED) return json
  const parts = []
  let end = 0
  for (const { 0: token, 1: quoted, 2: colon, index } of json.matchAll(TOKEN)) {
    parts.push(json.slice(end, index))
    const kind = colon ? 'json-key' : quoted ? 'json-text' : 'json-value'
    parts.push(<span class={kind}>{quoted ?? token}</span>, colon)
    end = index + token.length
  }
  return [...parts, json.slice(end)]
}

/** The body of a request or answer: JSON where it is some. */
export function Body({ body, label }: { body: unknown; label: string }) {
  const value = typeof body === 'string' ? jsonOf(body) : body
  return <Json value={value === undefined ? body : value} label={label} />
}
