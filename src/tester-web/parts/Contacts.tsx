import type { Contact, ContactEvent, SandboxState } from '../state/sandbox'
import { Empty, isFresh, Value } from './pieces'

/** Contacts, each with all that EmailSendX knows of it. */
export function Contacts({ state }: { state: SandboxState }) {
  const { contacts, totals } = state
  if (contacts.length === 0) return <Empty>No contact yet. Send an identify, and it appears here.</Empty>
  return (
    <ul class="cards">
      {contacts.map((contact) => (
        <ContactCard key={`${contact.id} ${contact.updatedAt}`} contact={contact} state={state} />
      ))}
      {totals.contacts > contacts.length && (
        <li class="hint">
          The newest {contacts.length} of {totals.contacts}.
        </li>
      )}
    </ul>
  )
}

function ContactCard({ contact, state }: { contact: Contact; state: SandboxState }) {
  const { id, email, firstName, lastName, status, metadata, updatedAt } = contact
  const lists = state.lists.filter((list) =>
    state.members.some(({ listId, contactId }) => listId === list.id && contactId === id)
  )
  const events = state.events.filter(({ contactId }) => contactId === id)
  return (
    <li class={isFresh(updatedAt) ? 'card fresh' : 'card'}>
      <p class="card-head">
        <strong>{email}</strong> <span class="badge">{status}</span>
      </p>
      <dl class="facts">
        <Fact name="First name" value={firstName} />
        <Fact name="Last name" value={lastName} />
        {Object.entries(metadata).map(([name, value]) => (
          <Fact key={name} name={name} value={value} isMetadata />
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

function Fact({ name, value, isMetadata }: { name: string; value: unknown; isMetadata?: boolean }) {
  if (value === null && !isMetadata) return null
  return (
    <div class={isMetadata ? 'metadata' : ''}>
      <dt>{name}</dt>
      <dd>
        <Value value={value} />
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
