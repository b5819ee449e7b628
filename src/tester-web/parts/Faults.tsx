import { currentFault, FAULTS, faultTrouble, makeFault } from '../state/faults'
import type { Fault } from '../state/faults'

/** Makes EmailSendX fail on purpose. One thing at a time, until it is put right. */
export function Faults() {
  const current = currentFault.value
  return (
    <fieldset class={current === 'none' ? 'faults' : 'faults failing'} aria-describedby="fault-hint">
      <legend>What goes wrong</legend>
      <div class="switch">
        {(Object.keys(FAULTS) as Fault[]).map((fault) => (
          <label key={fault}>
            <input type="radio" name="fault" checked={fault === current} onChange={() => makeFault(fault)} />
            <span>{FAULTS[fault].label}</span>
          </label>
        ))}
      </div>
      <p class="hint" id="fault-hint" role="status">
        {faultTrouble.value || (current ? FAULTS[current].hint : 'A fault set elsewhere is in force.')}{' '}
        {current !== 'none' && (
          <button type="button" class="link" onClick={() => makeFault('none')}>
            Back to normal
          </button>
        )}
      </p>
    </fieldset>
  )
}
