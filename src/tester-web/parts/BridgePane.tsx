import type { ComponentChild } from 'preact'
import { useState } from 'preact/hooks'
import { clock, counted, messageOf } from '../model/words'
import {
  bridge,
  bridgeTrouble,
  openLetter,
  purgeLetter,
  receipt,
  replaceLetter,
  retryLetter,
  sendToBridge,
  waitingEvents
} from '../state/bridge'
import type { DeadLetter, PartitionStatus } from '../../bridge/queue'
import type { OpenedLetter } from '../state/bridge'
import { start } from '../state/definition'
import { reading, settings } from '../state/inputs'
import { Json } from './Json'
import { Confirmed, TextButton, Value } from './pieces'

/** What the bridge has in hand, key by key. */
export function BridgePane() {
  if (!start.value?.bridge) return <p class="pane bridge quiet">No bridge runs beside this page: npm start runs one.</p>
  const { partitions, deadLetters, total } = bridge.value ?? { partitions: [], deadLetters: [], total: 0 }
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
        <p class="hint">
          For people without a Segment destination: it takes webhooks and SDKs, and delivers however long EmailSendX is
          away.{' '}
          <a href="/tester/docs/bridge" target="_blank" rel="noreferrer">
            More
          </a>
        </p>
        {partitions.length === 0 && <p class="quiet">Nothing has come in yet.</p>}
        <ul class="cards">
          {partitions.map((partition) => (
            <PartitionView key={partition.partition} partition={partition} />
          ))}
          {deadLetters.map((letter) => (
            <LetterView key={letter.id} letter={letter} />
          ))}
        </ul>
        {total > deadLetters.length && (
          <p class="hint">
            The newest {deadLetters.length} of {total} dead letters.
          </p>
        )}
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
    <TextButton disabled={mistake !== undefined} act={send}>
      Post the event here
    </TextButton>
  )
}

/** Why an event is put off. */
const REASONS: Record<string, string> = {
  contact: 'EmailSendX has no such contact yet',
  email: 'nobody has told the address of its user'
}

function PartitionView({ partition: one }: { partition: PartitionStatus }) {
  const { partition, keyPrefix, events, deferredFor, delivered, deadLetters, oldestArrivedAt, paused, suspended } = one
  return (
    <li class="card">
      <p class="card-head">
        <span>
          key <span class="code">{keyPrefix ? `${keyPrefix}…` : partition}</span>
        </span>
        {(suspended ?? paused) && <span class="badge bad">{paused ? 'paused' : 'suspended'}</span>}
      </p>
      <p>
        {events} waiting · {delivered} delivered · {deadLetters} dead
      </p>
      {events > 0 && (
        <p class="quiet">
          {oldestArrivedAt !== undefined && `The oldest came at ${clock(oldestArrivedAt)}. `}
          {Object.entries(deferredFor)
            .map(([reason, count]) => `${count} put off: ${REASONS[reason] ?? reason.replaceAll('_', ' ')}.`)
            .join(' ')}
        </p>
      )}
      {suspended && (
        <p class="bad">
          {suspended.reason} It is tried again at {clock(suspended.nextTryAt)}.
        </p>
      )}
      {events > 0 && <Waiting partition={partition} />}
    </li>
  )
}

/** The events that wait, when somebody looks. */
function Waiting({ partition }: { partition: string }) {
  return (
    <Loaded title="Waiting events" load={() => waitingEvents(partition)}>
      {({ events }) => (
        <ul>
          {events.map(({ id, event, arrivedAt, attempts, deferred }) => (
            <li key={id}>
              {event.type} <span class="code">{event.messageId}</span>, since {clock(arrivedAt)}
              {attempts > 0 && `, tried ${counted(attempts, 'time')}`}
              {deferred && `, until ${clock(deferred.until)} for: ${deferred.for.replaceAll('_', ' ')}`}
              <Json value={event.event} label={`Event ${event.messageId}`} />
            </li>
          ))}
        </ul>
      )}
    </Loaded>
  )
}

interface LoadedProps<T> {
  title: string
  load: () => Promise<T>
  children: (loaded: T) => ComponentChild
}

const LOOKING = 'Looking …'

/** What is asked for whenever somebody opens it. */
function Loaded<T extends object>({ title, load, children }: LoadedProps<T>) {
  const [loaded, setLoaded] = useState<T | string>(LOOKING)
  const look = (isOpen: boolean) => isOpen && load().then(setLoaded, (error) => setLoaded(messageOf(error)))
  return (
    <details onToggle={(event) => void look(event.currentTarget.open)}>
      <summary>{title}</summary>
      {typeof loaded === 'string' ? <p class={loaded === LOOKING ? 'quiet' : 'bad'}>{loaded}</p> : children(loaded)}
    </details>
  )
}

function LetterView({ letter }: { letter: DeadLetter }) {
  const { id, type, messageId, reason, detail, diedAt } = letter
  return (
    <li class="card">
      <p class="card-head">
        <span>
          ✕ {type} <span class="code quiet">{messageId}</span>
        </span>
        <span class="actions">
          {type !== 'rejected' && (
            <TextButton act={() => void retryLetter(letter)}>
              Retry<span class="unseen"> {messageId}</span>
            </TextButton>
          )}
          <Confirmed label="Purge" question="Really purge?" act={() => void purgeLetter(letter)} />
        </span>
      </p>
      <p>
        {reason.replaceAll('_', ' ')}, {clock(diedAt)}: {detail}
      </p>
      <Loaded title="Open" load={() => openLetter(id)}>
        {({ deadLetter }) => <Opened key={id} letter={deadLetter} />}
      </Loaded>
    </li>
  )
}

/** All about a dead letter, and its event to be corrected. */
function Opened({ letter }: { letter: OpenedLetter }) {
  const { event, user = {}, attempts } = letter
  const [text, setText] = useState<string | undefined>(undefined)
  const [mistake, setMistake] = useState('')
  const replace = () => {
    try {
      void replaceLetter(letter, JSON.parse(text ?? ''))
    } catch {
      setMistake('This is no JSON.')
    }
  }
  return (
    <>
      <p>
        Tried {counted(attempts, 'time')}
        {Object.entries(user)
          .filter(([, value]) => value !== undefined)
          .map(([name, value]) => (
            <span key={name}>
              {' '}
              · {name} <Value value={value} />
            </span>
          ))}
      </p>
      {text === undefined ? (
        <>
          <Json value={event} label={`Event ${letter.messageId}`} />
          <button type="button" onClick={() => setText(JSON.stringify(event, null, 2))}>
            Edit
          </button>
        </>
      ) : (
        <>
          <textarea
            class="code"
            rows={10}
            aria-label="Event of the dead letter"
            spellcheck={false}
            value={text}
            onInput={({ currentTarget: { value } }) => setText(value)}
          />
          <button type="button" onClick={replace}>
            Save and retry
          </button>
          {mistake && <p class="bad">{mistake}</p>}
        </>
      )}
    </>
  )
}
