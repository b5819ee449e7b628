import { insert, insertNew, marks, rows, write } from '../operation'
import type { Operation, Param, Row } from '../operation'
import type { Dialect } from '../schema'
import { dueAfter } from './due'

/** One request as it goes to the store. */
export interface Parcel {
  fingerprint: string
  sealedKey: string
  events: Item[]
  rejected: RejectedItem[]
}

export interface RejectedItem extends Item {
  reason: string
}

export interface Item {
  /** What duplicates are known by. */
  messageKey: string
  messageId: string
  type: string
  body: string
  bytes: number
}

export interface LaneLimits {
  maxLaneBytes: number
  /** A lane whose oldest event has waited for longer takes no more. */
  maxAgeMs: number
}

export type Verdict =
  | { accepted: number; duplicates: number }
  | { full: 'bytes' | 'age' }
  /** EmailSendX answered 401 to this key and never anything better. */
  | { refused: string }

interface Lane extends Row {
  id: number
  fingerprint: string
  due_at: number | null
  paused_until: number
  parked_at: number | null
  parked_status: number | null
  parked_reason: string | null
  succeeded_at: number | null
  tried_at: number
  oldest_at: number | null
  events: number
  bytes: number
}

/** A parked lane may be tried again when a request comes in for it, but not more often than this. */
const RETRY_PARKED_MS = 60_000

/** Takes the requests of one group, each wholly or not at all. */
export function* accept(dialect: Dialect, parcels: Parcel[], limits: LaneLimits, now: number): Operation<Verdict[]> {
  const lanes = yield* lockLanes(dialect, parcels, now)
  const taken = new Map<Lane, Taken>()
  for (const lane of lanes.values()) taken.set(lane, { events: [], rejected: [], bytes: lane.bytes })

  const refusals = parcels.map((parcel) => {
    const lane = lanes.get(parcel.fingerprint) as Lane
    const load = taken.get(lane) as Taken
    const bytes = sum([...parcel.events, ...parcel.rejected].map((item) => item.bytes))
    const refusal = refusalOf(lane, load.bytes + bytes, limits, now)
    if (!refusal) load.bytes += bytes
    return refusal
  })
  const admitted = parcels.filter((_, index) => !refusals[index])

  const isNew = yield* noteMessages(admitted, lanes, now)
  const verdicts = parcels.map((parcel, index): Verdict => {
    const refusal = refusals[index]
    if (refusal) return refusal
    const load = taken.get(lanes.get(parcel.fingerprint) as Lane) as Taken
    const fresh = parcel.events.filter(isNew)
    load.events.push(...fresh)
    load.rejected.push(...parcel.rejected.filter(isNew))
    return { accepted: fresh.length, duplicates: parcel.events.length - fresh.length }
  })

  yield* insert(
    'events',
    ['lane_id', 'message_id', 'type', 'bytes', 'arrived_at', 'body'],
    [...taken].flatMap(([lane, { events }]) =>
      events.map((item) => [lane.id, item.messageId, item.type, item.bytes, now, item.body])
    )
  )
  yield* insert(
    'dead_letters',
    ['lane_id', 'message_id', 'type', 'bytes', 'arrived_at', 'attempts', 'died_at', 'reason', 'detail', 'body'],
    [...taken].flatMap(([lane, { rejected }]) =>
      rejected.map((item) => [
        lane.id,
        item.messageId,
        item.type,
        item.bytes,
        now,
        0,
        now,
        'rejected',
        item.reason,
        item.body
      ])
    )
  )
  for (const [lane, load] of taken) yield* noteLoad(lane, load, now)
  return verdicts
}

interface Taken {
  events: Item[]
  rejected: RejectedItem[]
  /** Of the lane, were everything admitted so far new. */
  bytes: number
}

/** The lanes of the parcels, made where new, and locked: so the ids in a lane are in the order of the commits. */
function* lockLanes(dialect: Dialect, parcels: Parcel[], now: number): Operation<Map<string, Lane>> {
  const keys = new Map(parcels.map(({ fingerprint, sealedKey }) => [fingerprint, sealedKey]))
  const fingerprints = [...keys.keys()].sort()
  const select = `SELECT id, fingerprint, due_at, paused_until, parked_at, parked_status, parked_reason, succeeded_at, tried_at,
    oldest_at, events, bytes FROM lanes WHERE fingerprint IN (${marks(fingerprints)}) ORDER BY id ${dialect.lock}`

  let lanes = yield* rows<Lane>(select, ...fingerprints)
  if (lanes.length < fingerprints.length) {
    const known = new Set(lanes.map((lane) => lane.fingerprint))
    const fresh = fingerprints.filter((fingerprint) => !known.has(fingerprint))
    yield* insertNew(
      'lanes',
      ['fingerprint', 'sealed_key', 'created_at'],
      fresh.map((fingerprint) => [fingerprint, keys.get(fingerprint) as string, now]),
      ['fingerprint']
    )
    lanes = yield* rows<Lane>(select, ...fingerprints)
  }
  return new Map(lanes.map((lane) => [lane.fingerprint, lane]))
}

function refusalOf(lane: Lane, bytes: number, limits: LaneLimits, now: number): Verdict | undefined {
  // An empty lane is taken into even with a refused key: its first event is what the key is tried with.
  if (lane.parked_status === 401 && lane.succeeded_at === null && lane.events > 0)
    return { refused: lane.parked_reason ?? '' }
  if (bytes > limits.maxLaneBytes) return { full: 'bytes' }
  if (lane.oldest_at !== null && now - lane.oldest_at > limits.maxAgeMs) return { full: 'age' }
  return undefined
}

/** Writes down the message ids. The result tells of an item whether its lane had not had it before. */
function* noteMessages(parcels: Parcel[], lanes: Map<string, Lane>, now: number): Operation<(item: Item) => boolean> {
  const items: Item[] = []
  const values: Param[][] = []
  for (const { fingerprint, events, rejected } of parcels) {
    const { id } = lanes.get(fingerprint) as Lane
    for (const item of [...events, ...rejected]) {
      items.push(item)
      values.push([id, item.messageKey, now])
    }
  }
  const indexes = yield* insertNew('message_ids', ['lane_id', 'key', 'noted_at'], values, ['lane_id', 'key'])
  const fresh = new Set([...indexes].map((index) => items[index]))
  return (item) => fresh.has(item)
}

function* noteLoad(lane: Lane, { events, rejected }: Taken, now: number): Operation<void> {
  const tryParked = lane.parked_at !== null && Math.abs(now - lane.tried_at) >= RETRY_PARKED_MS
  if (events.length === 0 && rejected.length === 0 && !(tryParked && lane.events > 0)) return

  const pausedUntil = tryParked ? now : lane.paused_until
  const due = events.length > 0 || tryParked ? dueAfter(pausedUntil, now) : null
  yield* write(
    `UPDATE lanes SET events = events + ?, bytes = bytes + ?, dead = dead + ?, dead_bytes = dead_bytes + ?,
      paused_until = ?, due_at = ?, oldest_at = ? WHERE id = ?`,
    events.length,
    sum(events.map((item) => item.bytes)),
    rejected.length,
    sum(rejected.map((item) => item.bytes)),
    pausedUntil,
    earliest(lane.due_at, due),
    lane.oldest_at ?? (events.length > 0 ? now : null),
    lane.id
  )
}

function earliest(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other
  return Math.min(one, other)
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
