import { signal } from '@preact/signals'
import { chronological, classOf, toHar } from '../model/log'
import { sendings } from '../state/results'
import { ExchangeView } from './ExchangeView'
import { Radios, TextButton } from './pieces'

/** Gives the person a file. */
function save(name: string, content: unknown): void {
  const address = URL.createObjectURL(new Blob([JSON.stringify(content, null, 2)], { type: 'application/json' }))
  Object.assign(document.createElement('a'), { href: address, download: name }).click()
  URL.revokeObjectURL(address)
}

const shown = signal<string | undefined>(undefined)

/** Requests that are listed; the files have all of them. */
const MAX_LISTED = 200

/** Every request of everything that was sent, newest first, and the way to take it along. */
export function RequestLog() {
  const log = chronological(sendings.value.flatMap(({ exchanges }) => exchanges))
  const ofClass = (name?: string) => log.filter((one) => name === undefined || classOf(one) === name)
  const classes = [undefined, ...[...new Set(log.map(classOf))].sort()]
  const rows = ofClass(shown.value).reverse()
  if (log.length === 0) return <p class="quiet empty">No request was made.</p>
  return (
    <>
      <div class="row spread">
        <fieldset class="switch filters">
          <legend class="unseen">Status</legend>
          <Radios
            name="log-filter"
            choices={classes.map((name) => [name, `${name ?? 'all'} ${ofClass(name).length}`])}
            chosen={shown.value}
            choose={(name) => (shown.value = name)}
          />
        </fieldset>
        <span class="actions">
          <TextButton act={() => save('requests.json', log)}>JSON</TextButton>
          <TextButton act={() => save('requests.har', toHar(log))}>HAR</TextButton>
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
