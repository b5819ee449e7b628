import { clock } from '../model/outcome'
import { counted } from '../model/words'
import { bridge, bridgeTrouble, receipt, retryDeadLetter, sendToBridge } from '../state/bridge'
import type { DeadLetter, Lane } from '../state/bridge'
import { start } from '../state/definition'
import { reading, settings } from '../state/inputs'

/** What the bridge has in hand, lane by lane. */
export function BridgePane() {
  if (!start.value?.bridge) return <p class="pane bridge quiet">No bridge runs beside this page: npm start runs one.</p>
  const { lanes, deadLetters, delivered } = bridge.value ?? { lanes: [], deadLetters: [], delivered: 0 }
  return (
    <section class="pane bridge" aria-labelledby="bridge-title">
      <header class="pane-head">
        <h3 id="bridge-title">Bridge</h3>
        <p role="status" class={bridgeTrouble.value ? 'bad' : 'quiet'}>
          {bridgeTrouble.value || receipt.value}
        </p>
        <SendHere />
      </header>
      <div class="pane-body">
        {lanes.length === 0 && <p class="quiet">Nothing has come in yet, by webhook or SDK.</p>}
        {lanes.length > 0 && <p>{counted(delivered, 'event')} delivered since the bridge was started</p>}
        <ul class="cards">
          {lanes.map((lane) => (
            <LaneView key={lane.lane} lane={lane} />
          ))}
          {deadLetters.map((letter) => (
            <DeadLetterView key={letter.id} letter={letter} />
          ))}
        </ul>
      </div>
    </section>
  )
}

function SendHere() {
  const { mistake } = reading.value
  const send = () => {
    if (!reading.value.mistake) void sendToBridge(reading.value.events, settings.value.apiKey ?? '')
  }
  return (
    <button type="button" class="link" disabled={mistake !== undefined} onClick={send}>
      Post the event here
    </button>
  )
}

function LaneView({ lane: { lane, events, held, deadLetters, parked } }: { lane: Lane }) {
  return (
    <li class="card">
      <p class="card-head">
        <span>
          lane <span class="code">{lane}</span>
        </span>
        {parked && <span class="badge bad">parked</span>}
      </p>
      <p>
        {events} queued{held > 0 && ` (${held} waiting for a user)`} · {deadLetters} dead
      </p>
      {parked && (
        <p class="bad">
          {parked.reason} It is tried again at {clock(parked.nextTryAt)}.
        </p>
      )}
    </li>
  )
}

function DeadLetterView({ letter: { id, type, messageId, reason, detail, diedAt } }: { letter: DeadLetter }) {
  return (
    <li class="card">
      <p class="card-head">
        <span>
          ✕ {type} <span class="code quiet">{messageId}</span>
        </span>
        {type !== 'rejected' && (
          <button type="button" class="link" onClick={() => void retryDeadLetter(id)}>
            Retry<span class="unseen"> {messageId}</span>
          </button>
        )}
      </p>
      <p>
        {reason.replaceAll('_', ' ')}, {clock(diedAt)}: {detail}
      </p>
    </li>
  )
}
