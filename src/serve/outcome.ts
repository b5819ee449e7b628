import type { Body } from './body'
import type { Definition, RunningDestination } from './definition'
import { errorFacts, errorOutput, errorStatus } from './errors'
import type { ErrorFacts, EventStatus } from './errors'
import { recordingDestination } from './exchanges'
import type { Exchange } from './exchanges'
import type { Answer, Wishes } from './route'

/** Everything one call did: its requests, what became of each event in the order given, and the error if it threw. */
export interface Outcome {
  exchanges: Exchange[]
  multistatus: EventStatus[]
  error?: ErrorFacts
}

/** Runs a call on its own destination. Never throws: a call that fails wholly gives every event of `payload` its error. */
export async function outcome(
  definition: Definition,
  { payload }: Body,
  run: (destination: RunningDestination) => Promise<EventStatus[]>
): Promise<Outcome> {
  const { destination, exchanges } = recordingDestination(definition)
  try {
    const multistatus = await run(destination)
    return { exchanges: await exchanges(), multistatus }
  } catch (thrown) {
    const facts = errorFacts(thrown)
    const events = Array.isArray(payload) ? payload : [payload]
    return {
      exchanges: await exchanges(),
      multistatus: events.map(() => errorStatus(facts)),
      error: facts
    }
  }
}

/**
 * The original's answer: the exchanges, or the error alone. With the wish all of the outcome, where the error has the status
 * the platform gives it and no stack.
 */
export function outcomeAnswer({ exchanges, multistatus, error }: Outcome, wishes: Wishes): Answer {
  if (!wishes.multistatus) return { status: 200, body: error ? [errorOutput(error)] : exchanges }
  const shown = error && errorOutput({ ...error, status: error.platformStatus, stack: undefined })
  return { status: 200, body: { exchanges, multistatus, error: shown } }
}
