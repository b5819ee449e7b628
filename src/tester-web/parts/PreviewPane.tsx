import type { Preview } from '../../serve/tester/preview'
import type { Event } from '../model/events'
import { counted, nameOf, userOf } from '../model/words'
import { actions, manifest, titleOf } from '../state/definition'
import { chosenEvent, reading } from '../state/inputs'
import { preview } from '../state/preview'
import { Planned } from './Planned'
import { Options, TextButton } from './pieces'

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

function OneEvent({ preview: { matches, deliveries, whole }, events }: { preview: Preview; events: Event[] }) {
  const index = Math.min(chosenEvent.value, events.length - 1)
  return (
    <>
      {events.length > 1 && (
        <>
          <Whole whole={whole} />
          <label class="row">
            <span>Which event</span>
            <select value={index} onChange={(event) => (chosenEvent.value = Number(event.currentTarget.value))}>
              <Options
                choices={events.map((event, at) => [
                  at,
                  `${at + 1} of ${events.length}: ${nameOf(event)} ${userOf(event)}`
                ])}
              />
            </select>
          </label>
        </>
      )}
      <Takers matches={matches} />
      {deliveries.map((delivery) => (
        <Planned key={delivery.action} delivery={delivery} />
      ))}
      {deliveries.length === 0 && <p>No preset takes this event, so nothing is sent.</p>}
      <EngagePresets />
    </>
  )
}

/** What sending all of them comes to, and which of a batch would be refused. */
function Whole({ whole }: { whole: Preview['whole'] }) {
  return (
    <ul class="whole" aria-label="All events">
      {whole.map(({ action, events, calls, requests, refused }) => (
        <li key={action}>
          <strong>{titleOf(action)}</strong>: {counted(events, 'event')},{' '}
          {requests === undefined
            ? `${calls === 1 ? 'one call' : `${calls} calls, one for each`}`
            : `together in ${counted(requests, 'request')}`}
          {refused.length > 0 && (
            <>
              ; <span class="bad">{refused.length} would be refused:</span>{' '}
              {refused.slice(0, 5).map(({ event }) => (
                <TextButton key={event} act={() => (chosenEvent.value = event)}>
                  {event + 1}
                </TextButton>
              ))}
              {refused.length > 5 && ' …'}
            </>
          )}
        </li>
      ))}
    </ul>
  )
}

/** Which presets take the event, and why the others do not. */
function Takers({ matches }: { matches: Preview['matches'] }) {
  return (
    <ul class="presets" aria-label="Presets">
      {actions.value.map(([slug, { title }]) => {
        const { takes, why } = matches[slug] ?? { takes: false }
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
