import { PayloadValidationError } from '@segment/actions-core'
import type { JSONObject } from '@segment/actions-core'
import { checkObject } from '../common-fields'
import { HOUR_MS, MAX_BODY_BYTES, MAX_DEPTH } from '../constants'
import { resolveEmail } from '../email'
import type { CustomEvent } from '../types'
import type { Payload } from './generated-types'

/** An event ready to be fired. */
export interface ReadyEvent {
  /** Whose it is, as far as it says itself. */
  email?: string
  event: CustomEvent
  /** The event, as the JSON that its size was measured by. */
  json: string
}

/**
 * The custom event that a track call describes.
 * @throws PayloadValidationError when its email or name can't be used, or when the event is too large or too old.
 */
export function toEvent(payload: Payload, now = Date.now()): ReadyEvent {
  const email = resolveEmail(payload)
  const name = payload.eventNameForm === 'as_sent' ? payload.eventName : normalizeEventName(payload.eventName)
  if (name.trim() === '') {
    throw new PayloadValidationError('The event has no name. Map Event Name to where your events carry it.')
  }
  checkObject('Properties', payload.properties ?? {})
  if (isDeeperThan(MAX_DEPTH, payload.properties)) {
    throw new PayloadValidationError(`The properties are nested more than ${MAX_DEPTH} levels deep.`)
  }
  const event: CustomEvent = { name, data: propertiesOf(payload) }

  const json = JSON.stringify(event)
  const bytes = Buffer.byteLength(json)
  if (bytes > MAX_BODY_BYTES) {
    throw new PayloadValidationError(
      `The event has ${bytes} bytes of properties, at most ${MAX_BODY_BYTES} can be sent. Map fewer or shorter properties.`
    )
  }

  if (payload.maxAgeHours) {
    const age = (now - (timeOf(payload) ?? now)) / HOUR_MS
    if (age > payload.maxAgeHours) {
      throw new PayloadValidationError(
        `The event is ${Math.floor(age)} hours old, and this mapping ignores events older than ${
          payload.maxAgeHours
        } hours.`
      )
    }
  }
  return { email, event, json }
}

/** Undefined for an event that has none. */
export function propertiesOf({ properties }: Payload): JSONObject | undefined {
  return properties && Object.keys(properties).length > 0 ? (properties as JSONObject) : undefined
}

/**
 * `Purchase Completed`, `purchase_completed` and `PURCHASE_COMPLETED` are one name (product page). The API itself promises
 * no more than to ignore case (/docs/api/events).
 */
export function normalizeEventName(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[\s_]+/g, '_')
}

function isDeeperThan(depth: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return depth < 0 || Object.values(value).some((part) => isDeeperThan(depth - 1, part))
}

/**
 * When the event happened, ms since 1970; undefined when its timestamp does not say. That is a date text, or a number of seconds
 * or milliseconds.
 */
export function timeOf({ timestamp }: Payload): number | undefined {
  if (!timestamp) return undefined
  const number = Number(timestamp)
  const time = Number.isNaN(number) ? Date.parse(String(timestamp)) : number < 1e11 ? number * 1000 : number
  return Number.isNaN(time) ? undefined : time
}
