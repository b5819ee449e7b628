import { membershipOf } from '../../definitions/emailsendx/identifyContact/audience'
import type { BridgeEvent } from '../bridge/event'
import { normalize } from '../bridge/ingest/normalize'
import type { Normalized } from '../bridge/ingest/normalize'
import { TYPES } from '../bridge/ingest/sources'
import { isObject } from '../http/json'
import type { JsonObject } from '../http/json'
import type { History } from './history'
import { eventsIn, placeOf, readInput } from '../event-files'
import type { Input } from '../event-files'

export interface RecordOptions {
  /** Tracks from this time on are to be fired, ms since 1970; absent: none. */
  fireSince?: number
  /** What has no time happened now. */
  now: Date
}

/** How much was read. */
export interface Counts {
  /** Lines, rows of a CSV, elements of an array. */
  entries: number
  types: Record<string, number>
}

/** What is kept of an identify beside its address and time. */
export interface Said {
  user: string | null
  anonymous: string | null
  place: string
  /** It says that the person has left an audience of Engage. */
  leaves: boolean
  traits: JsonObject
}

const WRONG_EMAIL = 'what it has for an email address is none'

/** Writes down everything of the input that may be sent, as it comes, and counts the rest. */
export async function record(history: History, input: Input, options: RecordOptions): Promise<Counts> {
  const recorder = new Recorder(history, options)
  for await (const { file, entries } of readInput(input)) {
    for (const entry of entries) {
      const place = placeOf(file, entry)
      recorder.counts.entries++
      if ('problem' in entry) history.addProblem(place, entry.problem, entry.text)
      else for (const event of eventsIn(entry.value)) recorder.add(place, event)
    }
  }
  return recorder.counts
}

class Recorder {
  readonly counts: Counts = { entries: 0, types: {} }

  constructor(private readonly history: History, private readonly options: RecordOptions) {}

  add(place: string, value: unknown): void {
    const type = isObject(value) ? value.type : undefined
    // Most of a history is not sent at all, and need not be looked at any closer.
    if (isObject(value) && type !== 'identify' && TYPES.includes(type as string)) {
      if (type !== 'track' || this.isTooOld(value)) return this.count(type as string)
    }
    const result: Normalized = { events: [], rejected: [], ignored: 0 }
    normalize(value, { options: {}, receivedAt: this.options.now }, result)
    if (result.ignored > 0) this.count(String(type).toLowerCase())
    for (const { reason, item } of result.rejected) this.history.addProblem(place, reason, item)
    for (const event of result.events) this.addEvent(place, event)
  }

  private addEvent(place: string, event: BridgeEvent): void {
    this.count(event.type)
    const { userId = null, anonymousId = null, email = null, emailProblem, messageId } = event
    const { timestamp, traits, context, event: name, properties } = event.event
    const at = Date.parse(timestamp as string)
    if (event.type === 'track' && (this.options.fireSince === undefined || at < this.options.fireSince)) return
    if (emailProblem !== undefined) return this.history.addProblem(place, WRONG_EMAIL, event.event)
    if (event.type === 'identify') {
      const leaves = membershipOf({ context, traits }) === false
      const said: Said = { user: userId, anonymous: anonymousId, place, leaves, traits: traits as JsonObject }
      this.history.insert('identifies', at, email, JSON.stringify(said))
    } else {
      const content = JSON.stringify({ event: name, properties })
      this.history.insert('tracks', at, userId, anonymousId, email, place, messageId, content)
    }
  }

  private count(type: string): void {
    const name = TYPES.includes(type) ? type : 'other'
    this.counts.types[name] = (this.counts.types[name] ?? 0) + 1
  }

  /** A track that is not fired for certain. */
  private isTooOld({ timestamp }: { timestamp?: unknown }): boolean {
    const { fireSince } = this.options
    return fireSince === undefined || (typeof timestamp === 'string' && Date.parse(timestamp) < fireSince)
  }
}
