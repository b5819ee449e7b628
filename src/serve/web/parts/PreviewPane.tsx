import type { Delivery, Preview } from '../../tester/preview'
import { nameOf } from '../model/words'
import { actions, manifest, titleOf } from '../state/definition'
import { chosenEvent, contactsExist, preview } from '../state/preview'
import { Body, Json } from './Json'

/** What would be sent, before anything is. */
export function PreviewPane() {
  const { data, call, error, isOld } = preview.value
  return (
    <section class="pane preview" aria-labelledby="preview-title" aria-busy={isOld}>
      <header class="pane-head">
        <h3 id="preview-title">Would be sent</h3>
        <p class="quiet">live, nothing leaves this machine</p>
      </header>
      <div class={isOld ? 'pane-body old' : 'pane-body'}>
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
          <span>Event</span>
          <select value={index} onChange={(event) => (chosenEvent.value = Number(event.currentTarget.value))}>
            {events.map((event, at) => (
              <option key={at} value={at}>
                {at + 1} of {events.length}: {nameOf(event as Record<string, unknown>)}
              </option>
            ))}
          </select>
        </label>
      )}
      <Presets verdicts={verdicts[index]} />
      {own.map((delivery) => (
        <Planned key={delivery.action} delivery={delivery} index={index} />
      ))}
      {own.length === 0 && <p>No preset takes this event, so nothing is sent.</p>}
    </>
  )
}

/** Which presets take the event, and why the others do not. */
function Presets({ verdicts }: { verdicts: Preview['verdicts'][number] }) {
  const engage = manifest.value?.presets?.filter(({ type }) => type === 'specificEvent') ?? []
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
              <strong>{title}</strong> {takes ? 'takes it' : `does not take it: ${why ?? ''}`}
            </span>
          </li>
        )
      })}
      {engage.length > 0 && (
        <li class="passes">
          <span class="mark" aria-hidden="true">
            –
          </span>
          <details>
            <summary>{engage.length} more presets are for Segment Engage, whose events come from there only</summary>
            <ul>
              {engage.map(({ name, partnerAction }) => (
                <li key={name}>
                  {name} → {titleOf(partnerAction)}
                </li>
              ))}
            </ul>
          </details>
        </li>
      )}
    </ul>
  )
}

function Planned({
  delivery: { action, events, payloads, outcomes, requests },
  index
}: {
  delivery: Delivery
  index: number
}) {
  const at = events.indexOf(index)
  const { status, errormessage, fields } = outcomes[at] ?? {}
  const others = events.length - 1
  return (
    <div class="planned">
      {status !== undefined && status >= 300 && (
        <div class="refusal" role="status">
          <strong>{titleOf(action)} would not send it:</strong>{' '}
          {fields
            ? Object.entries(fields).map(([name, words]) => (
                <span key={name}>
                  {name === '$' ? '' : `${name}: `}
                  {words}{' '}
                </span>
              ))
            : errormessage}
        </div>
      )}
      <h4>Mapped payload</h4>
      <Json value={payloads[at]} label={`What the mapping of ${titleOf(action)} makes of the event`} />
      <h4>
        {requests.length === 0 ? 'No request' : requests.length === 1 ? 'One request' : `${requests.length} requests`}
        {others > 0 && <span class="quiet"> for this and {others} more</span>}
      </h4>
      {requests.some(({ url }) => url.includes('search=')) && <IfUnknown />}
      {requests.map(({ method, url, body }, position) => (
        <div class="request" key={position}>
          <p class="request-line">
            <span class="method">{method}</span> <span class="url">{url}</span>
          </p>
          {body && <Body body={body} label={`Body of ${method} ${url}`} />}
        </div>
      ))}
    </div>
  )
}

function IfUnknown() {
  return (
    <fieldset class="choice">
      <legend>if the contact</legend>
      <label>
        <input type="radio" name="exists" checked={contactsExist.value} onChange={() => (contactsExist.value = true)} />
        is there (its id shown as CONTACT_ID)
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
