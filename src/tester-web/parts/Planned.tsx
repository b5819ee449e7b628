import type { Delivery } from '../../serve/tester/preview'
import { counted } from '../model/words'
import { manifest, titleOf } from '../state/definition'
import { contactsExist } from '../state/preview'
import { RequestLine } from './ExchangeView'
import { Body, Json } from './Json'
import { inWords, Value } from './pieces'

/** Requests that are spelled out. */
const SHOWN = 12

/** What an action makes of an event, and the requests it would send. */
export function Planned({ delivery: { action, payload, outcome, requests, others } }: { delivery: Delivery }) {
  const { status, errormessage = '', fields = {} } = outcome
  return (
    <div class="planned">
      {status >= 300 && (
        <p class="refusal">
          <strong>{titleOf(action)} would not send it.</strong> {fields.$ ?? errormessage}
        </p>
      )}
      <h4>{titleOf(action)} makes of it</h4>
      <Payload action={action} payload={payload} mistakes={fields} />
      <h4>
        {requests.length === 0
          ? 'and sends nothing'
          : `and sends ${counted(requests.length, 'request')} to ${new URL(requests[0].url).origin}`}
        {others > 0 && `, for this event and ${others} more`}
      </h4>
      {requests.some(({ url }) => url.includes('search=')) && <IfUnknown />}
      {requests.slice(0, SHOWN).map(({ method, url, body }, position) => (
        <div class="request" key={position}>
          <p class="request-line">
            <RequestLine method={method} url={url} />
          </p>
          {body && <Body body={body} label={`Body of ${method} ${url}`} />}
        </div>
      ))}
      {requests.length > SHOWN && <p class="quiet">and {requests.length - SHOWN} more like these</p>}
    </div>
  )
}

interface PayloadProps {
  action: string
  payload: Delivery['payload']
  /** By field. */
  mistakes: Record<string, string>
}

/** The mapped fields, each with what is wrong with it; those that only say how to send come last, in a line. */
function Payload({ action, payload, mistakes }: PayloadProps) {
  const fields = manifest.value?.actions[action]?.fields ?? {}
  const isConfig = (name: string) => ['config', 'sync'].includes(fields[name]?.category ?? '')
  const names = Object.keys(fields).filter(
    (name) => name in mistakes || (name in payload && !fields[name].unsafe_hidden)
  )
  const shown = names.filter((name) => !isConfig(name) || name in mistakes)
  const config = names.filter((name) => isConfig(name) && name in payload)
  return (
    <dl class="facts payload">
      {shown.map((name) => (
        <div key={name}>
          <dt>{fields[name].label}</dt>
          <dd>
            {typeof payload[name] === 'object' ? (
              <Json value={payload[name]} label={fields[name].label} />
            ) : (
              <Value value={payload[name]} />
            )}
            {mistakes[name] && <p class="bad">{mistakes[name]}</p>}
          </dd>
        </div>
      ))}
      {config.length > 0 && (
        <div class="config">
          <dt>as configured</dt>
          <dd>{config.map((name) => `${fields[name].label}: ${inWords(payload[name])}`).join(' · ')}</dd>
        </div>
      )}
    </dl>
  )
}

function IfUnknown() {
  return (
    <fieldset class="choice">
      <legend>if the contact</legend>
      <label>
        <input type="radio" name="exists" checked={contactsExist.value} onChange={() => (contactsExist.value = true)} />
        is there, as CONTACT_ID
      </label>
      <label>
        <input
          type="radio"
          name="exists"
          checked={!contactsExist.value}
          onChange={() => (contactsExist.value = false)}
        />
        is unknown
      </label>
    </fieldset>
  )
}
