import { signal } from '@preact/signals'
import { chronological, classOf, toHar } from '../model/log'
import { sendings } from '../state/results'
import { ExchangeView } from './ExchangeView'
import { save } from './save'

const shown = signal<string | undefined>(undefined)

/** Requests that are listed; the files have all of them. */
const MAX_LISTED = 200

/** Every request of everything that was sent, newest first, and the way to take it along. */
export function RequestLog() {
  const log = chronological(sendings.value.flatMap(({ exchanges }) => exchanges))
  const classes = [...new Set(log.map(classOf))].sort()
  const rows = log.filter((one) => shown.value === undefined || classOf(one) === shown.value).reverse()
  if (log.length === 0) return <p class="quiet empty">No request was made.</p>
  return (
    <>
      <div class="row spread">
        <fieldset class="switch filters">
          <legend class="unseen">Status</legend>
          {[undefined, ...classes].map((name) => (
            <label key={name}>
              <input
                type="radio"
                name="log-filter"
                checked={shown.value === name}
                onChange={() => (shown.value = name)}
              />
              <span>
                {name ?? 'all'} {name === undefined ? log.length : log.filter((one) => classOf(one) === name).length}
              </span>
            </label>
          ))}
        </fieldset>
        <span class="actions">
          <button type="button" class="link" onClick={() => save('requests.json', log)}>
            JSON
          </button>
          <button type="button" class="link" onClick={() => save('requests.har', toHar(log))}>
            HAR
          </button>
        </span>
      </div>
      <div class="exchanges">
        {rows.slice(0, MAX_LISTED).map((exchange, index) => (
          <ExchangeView key={`${exchange.timing.at} ${index}`} exchange={exchange} />
        ))}
      </div>
      {rows.length > MAX_LISTED && <p class="quiet">and {rows.length - MAX_LISTED} older ones, in the files</p>}
    </>
  )
}
