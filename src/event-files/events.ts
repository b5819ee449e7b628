import { isObject } from '../http/json'

/** The event that an entry is, or those of an SDK's `{"batch": […]}`, each with the context that its batch gives to all. */
export function* eventsIn(value: unknown): Generator<unknown> {
  if (!isObject(value) || !Array.isArray(value.batch)) return yield value
  const { batch, context, sentAt } = value
  for (const event of batch as unknown[]) {
    yield isObject(event) ? { sentAt, ...event, context: { ...objectOr(context), ...objectOr(event.context) } } : event
  }
}

const objectOr = (value: unknown): object => (isObject(value) ? value : {})
