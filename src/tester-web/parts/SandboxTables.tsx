import { counted } from '../model/words'
import type { SandboxState } from '../state/sandbox'
import { Empty, isFresh, Time, Value } from './pieces'

interface ViewProps {
  state: SandboxState
}

export function Lists({ state: { lists, members } }: ViewProps) {
  return (
    <ul class="cards">
      {lists.map(({ id, name, description, memberCount }) => (
        <li class="card" key={id}>
          <p class="card-head">
            <strong>{name}</strong> <span class="badge">{counted(memberCount, 'member')}</span>
          </p>
          <p class="quiet">{description}</p>
          <p class="code quiet">{id}</p>
          <p class="chips">
            {members
              .filter(({ listId }) => listId === id)
              .map(({ contactId, email }) => (
                <span class="chip" key={contactId}>
                  {email}
                </span>
              ))}
          </p>
        </li>
      ))}
    </ul>
  )
}

export function Events({ state: { events } }: ViewProps) {
  if (events.length === 0) return <Empty>No event yet. Send a track for a contact that is there.</Empty>
  return (
    <ul class="cards">
      {events.map(({ id, name, email, firedAt, matchingAutomations, data }) => (
        <li class={isFresh(firedAt) ? 'card fresh' : 'card'} key={id}>
          <p class="card-head">
            <strong class="code">{name}</strong> <Time at={firedAt} />
          </p>
          <p>
            {email}, {matchingAutomations === 0 ? 'no automation' : counted(matchingAutomations, 'automation')}
          </p>
          <p class="quiet data">
            <Value value={data} />
          </p>
        </li>
      ))}
    </ul>
  )
}

export function Automations({ state: { automations, automationRuns } }: ViewProps) {
  return (
    <ul class="cards">
      {automations.map(({ id, name, status, triggerEvent, enrolledCount }) => (
        <li class="card" key={id}>
          <p class="card-head">
            <strong>{name}</strong> <span class="badge">{status}</span>
          </p>
          <p class="quiet">
            waits for <span class="code">{triggerEvent}</span>, started {counted(enrolledCount, 'time')}
          </p>
        </li>
      ))}
      {automationRuns.map(({ id, automationName, email, eventName, startedAt }) => (
        <li class={isFresh(startedAt) ? 'card fresh' : 'card'} key={id}>
          <p class="card-head">
            <span>
              <strong>{automationName}</strong> started for {email}
            </span>
            <Time at={startedAt} />
          </p>
          <p class="quiet code">{eventName}</p>
        </li>
      ))}
    </ul>
  )
}

export function Requests({ state: { requests } }: ViewProps) {
  if (requests.length === 0) return <Empty>No request yet.</Empty>
  return (
    <table class="requests">
      <thead>
        <tr>
          <th scope="col">Route</th>
          <th scope="col">Answers</th>
          <th scope="col">Requests</th>
        </tr>
      </thead>
      <tbody>
        {requests.map(({ route, count, answers }) => (
          <tr key={route}>
            <td class="code">{route.replace('/api/v1', '')}</td>
            <td>
              {Object.entries(answers)
                .map(([status, times]) => `${status} × ${times}`)
                .join(', ')}
            </td>
            <td>{count}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
