import type { BridgeEvent } from '../../../event'

let count = 0

/** An identify as the ingest hands it over. */
export function identify(known: Partial<BridgeEvent> = {}, traits: object = {}): BridgeEvent {
  return call('identify', known, { traits })
}

/** A track as the ingest hands it over. */
export function track(
  known: Partial<BridgeEvent> = {},
  name = 'purchase_completed',
  properties: object = {}
): BridgeEvent {
  return call('track', known, { event: name, properties })
}

function call(type: BridgeEvent['type'], known: Partial<BridgeEvent>, content: object): BridgeEvent {
  const { userId, anonymousId, messageId = `message-${++count}` } = known
  return { messageId, type, options: {}, event: { type, messageId, userId, anonymousId, ...content }, ...known }
}
