import { clock, counted } from '../model/words'
import { bridge, bridgeTrouble, receipt, retryDeadLetter, sendToBridge } from '../state/bridge'
import type { DeadLetter, Partition } from '../state/bridge'
import { start } from '../state/definition'
import { reading, settings } from '../state/inputs'

/** What the bridge has in hand, partition by partition. */
export function BridgePane() {
  if (!start.value?.bridge) return <p class="pane bridge quiet">No bridge runs beside this page: npm start runs one.</p>
  const { partitions, deadLetters, delivered } = bridge.value ?? { partitions: [], deadLetters: [], delivered: 0 }
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
        {partitions.length === 0 && <p class="quiet">Nothing has come in yet, by webhook or SDK.</p>}
        {partitions.length > 0 && <p>{counted(delivered, 'event')} delivered since the bridge was started</p>}
        <ul class="cards">
          {partitions.map((partition) => (
            <PartitionView key={partition.partition} partition={partition} />
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

function PartitionView({
  partition: { partition, events, deferred, deadLetters, suspended }
}: {
  partition: Partition
}) {
  return (
    <li class="card">
      <p class="card-head">
        <span>
          partition <span class="code">{partition}</span>
        </span>
        {suspended && <span class="badge bad">suspended</span>}
      </p>
      <p>
        {events} queued{deferred > 0 && ` (${deferred} waiting for a user)`} · {deadLetters} dead
      </p>
      {suspended && (
        <p class="bad">
          {suspended.reason} It is tried again at {clock(suspended.nextTryAt)}.
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
