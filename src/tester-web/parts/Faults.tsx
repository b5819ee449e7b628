import { currentFault, FAULTS, faultTrouble, makeFault } from '../state/faults'
import type { Fault } from '../state/faults'
import { Radio, TextButton } from './pieces'

/** Makes EmailSendX fail on purpose. One thing at a time, until it is put right. */
export function Faults() {
  const current = currentFault.value
  return (
    <fieldset class={current === 'none' ? 'faults' : 'faults failing'} aria-describedby="fault-hint">
      <legend>What goes wrong</legend>
      <div class="switch">
        {(Object.keys(FAULTS) as Fault[]).map((fault) => (
          <Radio
            key={fault}
            name="fault"
            label={FAULTS[fault].label}
            checked={fault === current}
            choose={() => makeFault(fault)}
          />
        ))}
      </div>
      <p class="hint" id="fault-hint" role="status">
        {faultTrouble.value || (current ? FAULTS[current].hint : 'A fault set elsewhere is in force.')}{' '}
        {current !== 'none' && <TextButton act={() => makeFault('none')}>Back to normal</TextButton>}
      </p>
    </fieldset>
  )
}
