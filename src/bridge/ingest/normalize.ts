import { isObject } from '../../http/json'
import type { JsonObject } from '../../http/json'
import type { BridgeEvent, DeliveryOptions, RejectedItem } from '../event'
import { storableId } from '../queue/keys'
import { contentId, findEmail, idText, inSegmentsSpelling, messageIdOf, timeOf } from './fields'
import { harmless } from './parse'

/** What became of the items of one request; every item is in exactly one of the three. */
export interface Normalized {
  events: BridgeEvent[]
  rejected: RejectedItem[]
  /** How many were of a type that EmailSendX has no use for (page, screen, group, alias, and any unknown one). */
  ignored: number
}

/** What holds for all events of one request. */
export interface RequestContext {
  options: DeliveryOptions
  receivedAt: Date
  /** The type, where the path says it (`/v1/track`). */
  type?: string
}

/**
 * Turns an item of a request into an identify or track event of one spelling, Segment's, and puts it where it belongs.
 * @param item as `openItem` gives it: anything at all
 */
export function normalize(item: unknown, request: RequestContext, result: Normalized): void {
  const outcome = readItem(item, request)
  if (outcome === 'ignored') result.ignored++
  else if ('event' in outcome) result.events.push(outcome)
  else result.rejected.push(outcome)
}

function readItem(item: unknown, request: RequestContext): BridgeEvent | RejectedItem | 'ignored' {
  const { value, cut } = harmless(item)
  if (!isObject(value)) return rejected(value, `${said(value)} instead of an event: ${CHECK_SENDER}`)
  const event = inSegmentsSpelling(value)
  if (cut) return rejected(event, 'an event nested deeper than 100 levels: send it flatter')
  const type = request.type ?? idText(event.type)?.toLowerCase()
  if (type === undefined) return rejected(event, `an event without a type: ${CHECK_SENDER}`)
  if (type === 'delete') return rejected(event, DELETE_BY_HAND)
  if (type === 'identify') return readIdentify(event, request)
  return type === 'track' ? readTrack(event, request) : 'ignored'
}

function readIdentify(event: JsonObject, request: RequestContext): BridgeEvent | RejectedItem {
  // RudderStack has an identify's traits in context.traits alone. In both places, those of mobile libraries there are older.
  const { traits: besides, ...context } = objectOf(event.context) ?? {}
  const contextTraits = objectOf(besides)
  const traits = objectOf(event.traits)
  if (traits === undefined) return rejected(event, notAnObject('traits', event.traits))
  if (contextTraits === undefined) return rejected(event, notAnObject('context.traits', besides))
  const found = findEmail('identify', { traits, contextTraits, root: event.email, userId: event.userId })
  return bridgeEvent('identify', event, request, found, {
    context,
    traits: { ...(event.traits == null ? contextTraits : traits), ...(found.email && { email: found.email }) }
  })
}

function readTrack(event: JsonObject, request: RequestContext): BridgeEvent | RejectedItem {
  const context = objectOf(event.context) ?? {}
  const contextTraits = objectOf(context.traits)
  const traits = objectOf(event.traits)
  const properties = objectOf(event.properties)
  const name = idText(event.event)
  if (name === undefined) return rejected(event, `a track call without the name of its event: ${CHECK_SENDER}`)
  if (properties === undefined) return rejected(event, notAnObject('properties', event.properties))
  const found = findEmail('track', { contextTraits, traits, properties, root: event.email, userId: event.userId })
  return bridgeEvent('track', event, request, found, {
    event: name,
    properties,
    // Where the destination's mapping looks first, so that both always mean the same contact.
    context: found.email ? { ...context, traits: { ...contextTraits, email: found.email } } : context
  })
}

function bridgeEvent(
  type: 'identify' | 'track',
  event: JsonObject,
  { receivedAt, options }: RequestContext,
  { email, emailIsUserId, emailProblem }: ReturnType<typeof findEmail>,
  parts: JsonObject
): BridgeEvent {
  const messageId = messageIdOf(event)
  const userId = idText(event.userId)
  const anonymousId = idText(event.anonymousId)
  Object.assign(event, parts, {
    type,
    messageId,
    userId,
    anonymousId,
    timestamp: timeOf(event, receivedAt).toISOString(),
    receivedAt: event.receivedAt ?? receivedAt.toISOString()
  })
  return {
    messageId,
    type,
    userId: userId === undefined ? undefined : storableId(userId),
    anonymousId: anonymousId === undefined ? undefined : storableId(anonymousId),
    email,
    ...(emailIsUserId && { emailIsUserId }),
    ...(emailProblem && { emailProblem }),
    event,
    options
  }
}

function rejected(item: unknown, reason: string): RejectedItem {
  const named = isObject(item) && idText(item.messageId) !== undefined
  return { messageId: named ? messageIdOf(item) : contentId(item), reason, item }
}

/**
 * What should be an object, as one: `[]` is how PHP prints an empty one, and a form or a warehouse column has it as JSON text.
 * Undefined for what is none.
 */
function objectOf(value: unknown): JsonObject | undefined {
  if (value == null || value === '') return {}
  if (isObject(value)) return value
  if (Array.isArray(value)) return value.length === 0 ? {} : undefined
  if (typeof value !== 'string' || !value.trimStart().startsWith('{')) return undefined
  try {
    const { value: parsed, cut } = harmless(JSON.parse(value))
    return isObject(parsed) && !cut ? parsed : undefined
  } catch {
    return undefined
  }
}

const CHECK_SENDER = "check what the sender's mapping makes of an event"

const DELETE_BY_HAND =
  'a request to delete a person: EmailSendX documents no call for it, so delete the contact there by hand, then purge this letter'

function notAnObject(name: string, value: unknown): string {
  const hint = value === '[object Object]' ? ": the sender's form encoding has lost it, let it send JSON" : ''
  return `${name} is ${said(value)} instead of an object${hint}`
}

function said(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`
}
