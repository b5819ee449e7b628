import isPlainObject from 'lodash/isPlainObject'
import type { Body } from './body'
import type { Definition, RunningDestination } from './definition'
import { errorFacts } from './errors'
import type { ErrorFacts } from './errors'
import { recordingDestination } from './exchanges'
import type { Answer, Route } from './route'

/**
 * A route that answers 200 with what `run` resolves to, and what `refuse` makes of its error. A client that wishes it finds
 * the requests made as `exchanges` in an answer that is an object.
 */
export function plainRoute(
  definition: Definition,
  path: string,
  run: (destination: RunningDestination, body: Body, rest: string) => Promise<unknown>,
  refuse: (error: ErrorFacts) => Answer
): Route {
  return {
    method: 'POST',
    path,
    handle: async (body, wishes, rest) => {
      const { destination, exchanges } = recordingDestination(definition)
      const answer = await run(destination, body, rest).then(
        (result): Answer => ({ status: 200, body: result }),
        (thrown) => refuse(errorFacts(thrown))
      )
      if (!wishes.multistatus || !isPlainObject(answer.body)) return answer
      return { status: answer.status, body: Object.assign({}, answer.body, { exchanges: await exchanges() }) }
    }
  }
}
