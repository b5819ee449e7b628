import { start } from '../state/definition'
import { apiUrl, currentKey, goesToSandbox, resetSandbox, sandbox, sandboxTrouble } from '../state/sandbox'
import { persisted } from '../state/storage'
import { Automations, Events, Lists, Requests } from './SandboxTables'
import { BridgePane } from './BridgePane'
import { Contacts } from './Contacts'
import { Faults } from './Faults'
import { Confirmed } from './pieces'
import { Tabs } from './Tabs'

/** What EmailSendX looks like now. */
export function EmailSendX() {
  return (
    <section class="column outside" aria-labelledby="emailsendx-title">
      <h2 id="emailsendx-title">What EmailSendX has</h2>
      {goesToSandbox.value ? <Sandbox /> : <NotTheSandbox />}
      <BridgePane />
    </section>
  )
}

function NotTheSandbox() {
  return (
    <div class="pane not-sandbox">
      <p>
        Events go to <strong class="url">{apiUrl.value}</strong>, and this page cannot look into it. See there what
        became of them.
      </p>
      <p class="quiet">
        {start.value?.sandbox
          ? `To watch contacts here, set the API URL to the sandbox: ${start.value.sandbox}`
          : 'No sandbox runs beside this page: npm start runs one.'}
      </p>
    </div>
  )
}

const tab = persisted<'contacts' | 'lists' | 'events' | 'automations' | 'requests'>('sandbox-tab', 'contacts')

const VIEWS = { contacts: Contacts, lists: Lists, events: Events, automations: Automations, requests: Requests }

function Sandbox() {
  const state = sandbox.value
  if (!state) return <p class="pane quiet">{sandboxTrouble.value || 'Looking …'}</p>
  const { contacts, lists, events, automationRuns, requests } = state.totals
  const View = VIEWS[tab.value]
  return (
    <>
      <div class="pane sandbox-head">
        <div class="row spread">
          <p class="quiet">
            the sandbox, <span class="url">{apiUrl.value}</span>
          </p>
          <Confirmed label="Empty it" question="Really? All contacts go" act={() => void resetSandbox()} />
        </div>
        <Meter />
        <Faults />
        {sandboxTrouble.value && (
          <p role="status" class="bad">
            {sandboxTrouble.value}
          </p>
        )}
      </div>
      <div class="pane grows">
        <Tabs
          label="What EmailSendX has"
          current={tab.value}
          choose={(name) => (tab.value = name)}
          tabs={[
            { name: 'contacts', label: <Counted word="Contacts" count={contacts} /> },
            { name: 'lists', label: <Counted word="Lists" count={lists} /> },
            { name: 'events', label: <Counted word="Events" count={events} /> },
            { name: 'automations', label: <Counted word="Automations" count={automationRuns} /> },
            { name: 'requests', label: <Counted word="Requests" count={requests} /> }
          ]}
        >
          <View state={state} />
        </Tabs>
      </div>
    </>
  )
}

const Counted = ({ word, count }: { word: string; count: number }) => (
  <>
    {word} <span class="count">{count}</span>
  </>
)

/** Requests used of those that the key has a minute. */
function Meter() {
  const key = currentKey.value
  if (!key) return <p class="hint">The sandbox does not know the API key of the settings.</p>
  const { used, limit } = key.window
  return (
    <div class="meter">
      <meter min={0} max={limit} high={limit * 0.8} value={used} aria-labelledby="meter-words" />
      <p id="meter-words">
        {used} of {limit} requests this minute
      </p>
    </div>
  )
}
