import { computed, signal } from '@preact/signals'
import { messageOf } from '../model/words'
import { isListMissing, MISSING_LIST } from './inputs'
import { currentKey, lookIntoSandbox, sandbox } from './sandbox'
import { ask } from './server'

/** What can be made to go wrong. */
export const FAULTS = {
  none: { label: 'Nothing', hint: 'EmailSendX works as it should.' },
  limit: { label: '429', hint: 'Every request is over the rate limit.' },
  failing: { label: '500', hint: 'EmailSendX has a fault of its own.' },
  silence: {
    label: 'No answer',
    hint: 'EmailSendX takes requests and stays silent; the destination gives up after 30 s.'
  },
  revoked: { label: 'Revoked key', hint: 'The API key in the settings has been revoked.' },
  list: { label: 'Missing list', hint: `Contacts are sent to ${MISSING_LIST}, a list that is not there.` }
} as const
export type Fault = keyof typeof FAULTS

/** Longer than the destination waits. */
const SILENCE_MS = 40_000

const SPECS: Partial<Record<Fault, object>> = {
  limit: { kind: 'status', status: 429, times: 'always' },
  failing: { kind: 'status', status: 500, times: 'always' },
  silence: { kind: 'delay', delayMs: SILENCE_MS, times: 'always' }
}

export const faultTrouble = signal('')

/** What is going wrong now, as the sandbox has it: it stays so across reloads. */
export const currentFault = computed<Fault | undefined>(() => {
  if (isListMissing.value) return 'list'
  if (currentKey.value?.revoked) return 'revoked'
  const fault = sandbox.value?.faults[0]
  if (!fault) return 'none'
  if (fault.kind === 'status' && fault.status === 429) return 'limit'
  if (fault.kind === 'status' && fault.status === 500) return 'failing'
  return fault.kind === 'delay' && fault.delayMs === SILENCE_MS ? 'silence' : undefined
})

/** Settled when the last choice is in force. */
let changing = Promise.resolve()
export const faultInForce = (): Promise<void> => changing

/** Puts everything right, then this wrong. */
export function makeFault(fault: Fault): void {
  changing = changing.then(() => change(fault))
}

async function change(fault: Fault): Promise<void> {
  faultTrouble.value = ''
  const key = currentKey.value
  const revoke = (revoked: boolean) =>
    key && ask(`/tester/sandbox/keys/${key.id}`, { method: 'PATCH', body: { revoked } })
  try {
    isListMissing.value = fault === 'list'
    await ask('/tester/sandbox/faults', { method: 'DELETE' })
    await revoke(fault === 'revoked')
    if (SPECS[fault]) await ask('/tester/sandbox/faults', { method: 'POST', body: SPECS[fault] })
  } catch (error) {
    faultTrouble.value = messageOf(error)
  }
  await lookIntoSandbox()
}
