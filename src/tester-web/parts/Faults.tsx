import { currentFault, FAULTS, faultTrouble, makeFault } from '../state/faults'
import type { Fault } from '../state/faults'
import { Radios, TextButton } from './pieces'

const CHOICES = Object.entries(FAULTS).map(([fault, { label }]) => [fault as Fault, label] as const)

/** Makes EmailSendX fail on purpose. One thing at a time, until it is put right. */
export function Faults() {
  const current = currentFault.value
  return (
    <fieldset class={current === 'none' ? 'faults' : 'faults failing'} aria-describedby="fault-hint">
      <legend>What goes wrong</legend>
      <div class="switch">
        <Radios name="fault" choices={CHOICES} chosen={current} choose={makeFault} />
      </div>
      <p class="hint" id="fault-hint" role="status">
        {faultTrouble.value || (current ? FAULTS[current].hint : 'A fault set elsewhere is in force.')}{' '}
        {current !== 'none' && <TextButton act={() => makeFault('none')}>Back to normal</TextButton>}
      </p>
    </fieldset>
  )
}
