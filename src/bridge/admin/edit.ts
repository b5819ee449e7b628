import { HttpError } from '../../http/errors'
import { isObject } from '../../http/json'
import type { BridgeEvent } from '../event'
import { normalize } from '../ingest/normalize'
import type { Normalized } from '../ingest/normalize'

/**
 * What a person has made of the event in a dead letter, as it would have come in: with the messageId and the options of what was
 * there.
 * @param content what is in the letter
 * @throws HttpError 400 when it is no event that could be delivered
 */
export function editedEvent(
  { content, messageId }: { content: unknown; messageId: string },
  event: unknown
): BridgeEvent {
  if (!isObject(event)) throw new HttpError(400, 'send the event as JSON')
  const options = (isObject(content) && isObject(content.options) ? content.options : {}) as BridgeEvent['options']
  const result: Normalized = { events: [], rejected: [], ignored: 0 }
  normalize({ ...event, messageId }, { options, receivedAt: new Date() }, result)
  const [problem] = result.rejected
  if (problem) throw new HttpError(400, problem.reason)
  if (result.ignored > 0) throw new HttpError(400, 'only identify and track events are delivered')
  return result.events[0]
}
