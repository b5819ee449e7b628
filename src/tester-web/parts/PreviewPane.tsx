import type { Preview } from '../../serve/tester/preview'
import { nameOf } from '../model/words'
import { actions, manifest, titleOf } from '../state/definition'
import { reading } from '../state/inputs'
import { chosenEvent, preview } from '../state/preview'
import { Planned } from './Planned'

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

function OneEvent({ preview: { matches, deliveries }, events }: { preview: Preview; events: object[] }) {
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
      <Takers matches={matches[index]} />
      {own.map((delivery) => (
        <Planned key={delivery.action} delivery={delivery} index={index} />
      ))}
      {own.length === 0 && <p>No preset takes this event, so nothing is sent.</p>}
      <EngagePresets />
    </>
  )
}

/** Which presets take the event, and why the others do not. */
function Takers({ matches }: { matches: Preview['matches'][number] }) {
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
