import { useEffect, useRef } from 'preact/hooks'
import { changes } from '../state/changes'
import type { Change } from '../state/changes'
import { contactSearch, lookIntoSandbox } from '../state/sandbox'
import type { Contact, ContactEvent, SandboxState } from '../state/sandbox'
import { Empty, inWords, isFresh, Value } from './pieces'

/** Contacts, each with all that EmailSendX knows of it; those that changed last come first. */
export function Contacts({ state }: { state: SandboxState }) {
  const { contacts, totals } = state
  const list = useRef<HTMLUListElement>(null)
  useEffect(() => {
    // Nothing moves away from under a pointer.
    const panel = list.current?.closest('.panel')
    if (!panel?.matches(':hover')) panel?.scrollTo(0, 0)
  }, [changes.value])
  const isSearched = contactSearch.value !== ''
  return (
    <>
      <input
        id="contact-search"
        type="search"
        placeholder="Search all contacts"
        aria-label="Search all contacts"
        value={contactSearch.value}
        onInput={(event) => {
          contactSearch.value = event.currentTarget.value
          void lookIntoSandbox()
        }}
      />
      {contacts.length === 0 && (
        <Empty>
          {isSearched
            ? 'No contact has this in its address or name.'
            : 'No contact yet. Send an identify, and it appears here.'}
        </Empty>
      )}
      <ul class="cards" ref={list}>
        {contacts.map((contact) => (
          <ContactCard key={contact.id} contact={contact} change={changes.value.get(contact.id)} state={state} />
        ))}
        {!isSearched && totals.contacts > contacts.length && (
          <li class="hint">
            The {contacts.length} that changed last, of {totals.contacts}.
          </li>
        )}
      </ul>
    </>
  )
}

function ContactCard({ contact, change, state }: { contact: Contact; change?: Change; state: SandboxState }) {
  const { id, email, firstName, lastName, status, metadata } = contact
  const lists = state.lists.filter((list) =>
    state.members.some(({ listId, contactId }) => listId === list.id && contactId === id)
  )
  const events = state.events.filter(({ contactId }) => contactId === id)
  const gone = Object.keys(change?.values ?? {}).filter((name) => change?.values[name][1] === undefined)
  return (
    <li class={change ? 'card fresh changed' : 'card'}>
      <p class="card-head">
        <strong>
          <Value value={email} />
        </strong>
        <span>
          {change && <span class="badge now">{change.isNew ? 'new' : 'changed'}</span>}{' '}
          <span class="badge">{status}</span>
        </span>
      </p>
      <dl class="facts">
        <Fact name="First name" value={firstName} change={change} />
        <Fact name="Last name" value={lastName} change={change} />
        {Object.entries(metadata).map(([name, value]) => (
          <Fact key={name} name={name} value={value} change={change} isMetadata />
        ))}
        {gone.map((name) => (
          <Fact key={name} name={name} value={undefined} change={change} isMetadata />
        ))}
      </dl>
      {lists.length > 0 && (
        <p class="chips">
          <span class="quiet">on</span>
          {lists.map(({ id, name }) => (
            <span class="chip" key={id}>
              {name}
            </span>
          ))}
        </p>
      )}
      {events.length > 0 && (
        <ul class="fired">
          {events.map((event) => (
            <Fired key={event.id} event={event} state={state} />
          ))}
        </ul>
      )}
    </li>
  )
}

interface FactProps {
  name: string
  value: unknown
  change?: Change
  isMetadata?: boolean
}

function Fact({ name, value, change, isMetadata }: FactProps) {
  if (value === null && !isMetadata) return null
  const old = change?.values[name]
  const shown = <Value value={value} />
  return (
    <div class={isMetadata ? 'metadata' : ''}>
      <dt>
        <Value value={name} />
      </dt>
      <dd>
        {old && (
          <>
            <del>{old[0] === undefined ? 'nothing' : inWords(old[0])}</del> →{' '}
          </>
        )}
        {value === undefined ? 'nothing' : old ? <ins>{shown}</ins> : shown}
      </dd>
    </div>
  )
}

/** An event on the contact and the automations it started. */
function Fired({ event: { id, name, data, firedAt }, state }: { event: ContactEvent; state: SandboxState }) {
  const runs = state.automationRuns.filter(({ eventId }) => eventId === id)
  return (
    <li class={isFresh(firedAt) ? 'fresh' : ''}>
      <span class="bolt" aria-hidden="true">
        ⚡
      </span>{' '}
      <span class="code">{name}</span>{' '}
      {runs.length === 0 ? (
        <span class="quiet">no automation waits for it</span>
      ) : (
        runs.map((run) => (
          <span class="chip started" key={run.id}>
            started {run.automationName}
          </span>
        ))
      )}
      <span class="quiet data">
        <Value value={data} />
      </span>
    </li>
  )
}
