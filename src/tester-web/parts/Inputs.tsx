import { actions } from '../state/definition'
import { asBatch, changesOf, inputsTab, mappingTrouble, reading } from '../state/inputs'
import { canSend, send, sendings } from '../state/results'
import { EventInput } from './EventInput'
import { MappingInput } from './MappingInput'
import { SettingsInput } from './SettingsInput'
import { Tabs } from './Tabs'
import { summaryOf } from './ResultsPane'
import { Radios, TextButton } from './pieces'

export function Inputs() {
  const changes = actions.value.reduce((sum, [slug]) => sum + changesOf(slug), 0)
  return (
    <section class="column inputs" aria-labelledby="inputs-title">
      <h2 id="inputs-title">What you send</h2>
      <Tabs
        label="Inputs"
        current={inputsTab.value}
        choose={(name) => (inputsTab.value = name)}
        tabs={[
          { name: 'event', label: 'Event' },
          { name: 'settings', label: 'Settings' },
          { name: 'mapping', label: changes ? `Mapping (${changes} changed)` : 'Mapping' }
        ]}
      >
        {inputsTab.value === 'event' && <EventInput />}
        {inputsTab.value === 'settings' && <SettingsInput />}
        {inputsTab.value === 'mapping' && <MappingInput />}
      </Tabs>
      <SendBar />
    </section>
  )
}

const isMac = navigator.userAgent.includes('Mac')

function SendBar() {
  const { mistake } = reading.value
  const count = mistake ? 0 : reading.value.events.length
  const isBatch = !mistake && reading.value.isBatch
  return (
    <div class="send-bar">
      <fieldset class={isBatch ? 'choice' : 'choice away'} disabled={!isBatch}>
        <legend class="unseen">How several events are sent</legend>
        <Radios
          name="batch"
          choices={[
            [true, 'as a batch'],
            [false, 'one by one']
          ]}
          chosen={asBatch.value}
          choose={(batch) => (asBatch.value = batch)}
        />
      </fieldset>
      {mappingTrouble.value !== undefined && (
        <p class="bad" role="alert">
          The mapping is broken. <TextButton act={() => (inputsTab.value = 'mapping')}>Mend it</TextButton>
        </p>
      )}
      {sendings.value.length > 0 && (
        <a href="#results" class="to-results">
          ↓ {summaryOf(sendings.value[0])}
        </a>
      )}
      <button type="button" class="primary" disabled={!canSend.value} onClick={() => void send()}>
        Send {count > 1 ? `${count} events` : 'event'} <kbd>{isMac ? '⌘' : 'Ctrl'} ⏎</kbd>
      </button>
    </div>
  )
}
