import type { Delivery, Preview } from '../../tester/preview'
import { counted, nameOf } from '../model/words'
import { actions, manifest, titleOf } from '../state/definition'
import { reading } from '../state/inputs'
import { chosenEvent, contactsExist, preview } from '../state/preview'
import { RequestLine } from './ExchangeView'
import { Body } from './Json'
import { inWords, Value } from './pieces'

/** What would be sent, before anything is. */
export function PreviewPane() {
  const { data, call, error, isOld } = preview.value
  return (
    <section class="pane preview" aria-labelledby="preview-title" aria-busy={isOld}>
      <header class="pane-head">
        <h3 id="preview-title">Would be sent</h3>
        <p class="quiet">
          {reading.value.mistake ? 'of what was there before the mistake' : 'live, nothing leaves this machine'}
        </p>
      </header>
      <div class="pane-body">
        {error !== undefined && <p class="bad">{error}</p>}
        {data && call && <OneEvent preview={data} events={call.events} />}
      </div>
    </section>
  )
}

function OneEvent({ preview: { verdicts, deliveries }, events }: { preview: Preview; events: object[] }) {
  const index = Math.min(chosenEvent.value, events.length - 1)
  const own = deliveries.filter(({ events }) => events.includes(index))
  return (
    <>
      {events.length > 1 && (
        <label class="row">
          <span>Which event</span>
          <select value={index} onChange={(event) => (chosenEvent.value = Number(event.currentTarget.value))}>
            {events.map((event, at) => (
              <option key={at} value={at}>
                {at + 1} of {events.length}: {nameOf(event as Record<string, unknown>)}
              </option>
            ))}
          </select>
        </label>
      )}
      <Takers verdicts={verdicts[index]} />
      {own.map((delivery) => (
        <Planned key={delivery.action} delivery={delivery} index={index} />
      ))}
      {own.length === 0 && <p>No preset takes this event, so nothing is sent.</p>}
      <EngagePresets />
    </>
  )
}

/** Which presets take the event, and why the others do not. */
function Takers({ verdicts }: { verdicts: Preview['verdicts'][number] }) {
  return (
    <ul class="presets" aria-label="Presets">
      {actions.value.map(([slug, { title }]) => {
        const { takes, why } = verdicts[slug] ?? { takes: false }
        return (
          <li key={slug} class={takes ? 'takes' : 'passes'}>
            <span class="mark" aria-hidden="true">
              {takes ? '✓' : '–'}
            </span>
            <span>
              <strong>{title}</strong> {takes ? 'takes it' : `does not: ${why ?? ''}`}
            </span>
          </li>
        )
      })}
    </ul>
  )
}

/** Presets that no FQL decides on. */
function EngagePresets() {
  const engage = manifest.value?.presets?.filter(({ type }) => type === 'specificEvent') ?? []
  if (engage.length === 0) return null
  return (
    <details class="engage quiet">
      <summary>{engage.length} more presets wait for events that only Segment Engage makes</summary>
      <ul>
        {engage.map(({ name, partnerAction }) => (
          <li key={name}>
            {name} → {titleOf(partnerAction)}
          </li>
        ))}
      </ul>
    </details>
  )
}

interface PlannedProps {
  delivery: Delivery
  /** Position of the event that is looked at. */
  index: number
}

function Planned({ delivery: { action, events, payloads, outcomes, requests }, index }: PlannedProps) {
  const at = events.indexOf(index)
  const { status = 200, errormessage = '', fields = {} } = outcomes[at] ?? {}
  const others = events.length - 1
  return (
    <div class="planned">
      {status >= 300 && (
        <p class="refusal">
          <strong>{titleOf(action)} would not send it.</strong> {fields.$ ?? errormessage}
        </p>
      )}
      <h4>{titleOf(action)} makes of it</h4>
      <Payload action={action} payload={payloads[at]} mistakes={fields} />
      <h4>
        {requests.length === 0
          ? 'and sends nothing'
          : `and sends ${counted(requests.length, 'request')} to ${new URL(requests[0].url).origin}`}
        {others > 0 && `, for this event and ${others} more`}
      </h4>
      {requests.some(({ url }) => url.includes('search=')) && <IfUnknown />}
      {requests.map(({ method, url, body }, position) => (
        <div class="request" key={position}>
          <p class="request-line">
            <RequestLine method={method} url={url} />
          </p>
          {body && <Body body={body} label={`Body of ${method} ${url}`} />}
        </div>
      ))}
    </div>
  )
}

interface PayloadProps {
  action: string
  payload: Delivery['payloads'][number]
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
            <Value value={payload[name as keyof typeof payload]} />
            {mistakes[name] && <p class="bad">{mistakes[name]}</p>}
          </dd>
        </div>
      ))}
      {config.length > 0 && (
        <div class="config">
          <dt>as configured</dt>
          <dd>{config.map((name) => `${name} ${inWords(payload[name as keyof typeof payload])}`).join(' · ')}</dd>
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
