import { withShared } from '../http/batch'
import { isObject } from '../http/json'

/** The event that an entry is, or those of an SDK's `{"batch": […]}`. */
export function* eventsIn(value: unknown): Generator<unknown> {
  if (!isObject(value) || !Array.isArray(value.batch)) return yield value
  for (const event of value.batch as unknown[]) yield isObject(event) ? withShared(event, value) : event
}
