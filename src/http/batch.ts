import { isObject, type JsonObject } from './json'

/** An event of an SDK's `{"batch": […]}` with what the batch says for all of its events; what it says itself goes before. */
export function withShared(event: JsonObject, { context, integrations, sentAt }: JsonObject): JsonObject {
  return {
    ...(sentAt !== undefined && { sentAt }),
    ...event,
    ...(isObject(context) && { context: { ...context, ...(isObject(event.context) && event.context) } }),
    ...(isObject(integrations) && {
      integrations: { ...integrations, ...(isObject(event.integrations) && event.integrations) }
    })
  }
}
