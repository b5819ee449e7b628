import { LRUCache } from 'lru-cache'
import type { BridgeEvent } from '../event'
import type { Engine } from './engine'
import { GroupCommit } from './group-commit'
import { messageKey } from './keys'
import type { DeadFilter, DeadRow, LaneFilter, LaneRow, Parcel } from './operations'
import type { Result } from './operations'
import { LaneRefused, LeaseLost, SpoolFull } from './spool'
import type {
  Accepted,
  AcceptRequest,
  ClaimedLane,
  DeadLetter,
  DeadLetterFilter,
  DeadLetters,
  DeadReason,
  LaneDesk,
  LaneKey,
  LanePage,
  LaneStatus,
  LaneWork,
  Lease,
  Rest,
  Retained,
  Settlement,
  Spool,
  SpoolStats
} from './spool'
import type { Vault } from './vault'

export interface Limits {
  /** Bytes of all events and dead letters. Over it the store takes nothing. Default 10 GiB. */
  maxBytes: number
  /** Bytes of the undelivered events of one lane. Default 2 GiB. */
  maxLaneBytes: number
  /** How long the oldest event of a lane may have been stuck; over it the lane takes nothing. Default 7 days. */
  maxAgeMs: number
  /** How long message ids are remembered to tell duplicates. Default 30 days, as long as RudderStack sends again. */
  dedupeMs: number
  /** How long dead letters are kept. Default 90 days. */
  deadLetterMs: number
}

const DAY_MS = 24 * 60 * 60 * 1000
const DEFAULTS: Limits = {
  maxBytes: 10 * 1024 ** 3,
  maxLaneBytes: 2 * 1024 ** 3,
  maxAgeMs: 7 * DAY_MS,
  dedupeMs: 30 * DAY_MS,
  deadLetterMs: 90 * DAY_MS
}

/** Added to the bytes of an event for its row, keys and indexes. */
const ROW_BYTES = 300
/** A group of requests written in one transaction takes no more. */
const MAX_GROUP_BYTES = 2 * 1024 * 1024
const GROUPS_AT_ONCE = 2
/** How old the count of all bytes may be when a request is measured against it. */
const BYTES_MAX_AGE_MS = 1_000
/** Rows changed in one transaction by housekeeping, so that requests never wait long for it. */
const CHORE_ROWS = 1_000
const LIST_ROWS = 100
/** Digits of a fingerprint that make a lane's short name. */
const NAME_DIGITS = 12

/** The spool over an engine: what is the same whatever the engine, outside of transactions. */
export class StoredSpool implements Spool {
  readonly deadLetters: DeadLetters
  readonly lanes: LaneDesk
  readonly work: LaneWork
  private readonly limits: Limits
  private readonly intake: GroupCommit<Parcel, Result<'accept'>[number]>
  private readonly listeners = new Set<() => void>()
  /** What a key is stored as, of the keys used lately. */
  private readonly keys = new LRUCache<string, Pick<Parcel, 'fingerprint' | 'sealedKey'>>({ max: 10_000 })
  private bytes = { kept: 0, countedAt: -Infinity }

  constructor(
    private readonly engine: Engine,
    private readonly vault: Vault,
    private readonly now: () => number,
    limits: Partial<Limits>
  ) {
    this.limits = {
      maxBytes: limits.maxBytes ?? DEFAULTS.maxBytes,
      maxLaneBytes: limits.maxLaneBytes ?? DEFAULTS.maxLaneBytes,
      maxAgeMs: limits.maxAgeMs ?? DEFAULTS.maxAgeMs,
      dedupeMs: limits.dedupeMs ?? DEFAULTS.dedupeMs,
      deadLetterMs: limits.deadLetterMs ?? DEFAULTS.deadLetterMs
    }
    this.intake = new GroupCommit(
      (parcels) => engine.run('accept', parcels, this.limits, this.now()),
      sizeOf,
      MAX_GROUP_BYTES,
      GROUPS_AT_ONCE
    )
    this.deadLetters = this.deadLetterDesk()
    this.lanes = this.laneDesk()
    this.work = this.laneWork()
  }

  async accept({ apiKey }: LaneKey, request: AcceptRequest): Promise<Accepted> {
    const parcel = this.pack(apiKey, request)
    const size = sizeOf(parcel)
    if ((await this.bytesKept()) + size > this.limits.maxBytes) {
      throw new SpoolFull('store', 'bytes', `The store holds its limit of ${this.limits.maxBytes} bytes.`)
    }
    this.bytes.kept += size
    const verdict = await this.intake.add(parcel)
    if ('refused' in verdict) throw new LaneRefused(verdict.refused)
    if ('full' in verdict) {
      throw verdict.full === 'bytes'
        ? new SpoolFull('lane', 'bytes', `This API key has ${this.limits.maxLaneBytes} bytes of undelivered events.`)
        : new SpoolFull('lane', 'age', `This API key has events that could not be delivered for too long.`)
    }
    for (const listener of this.listeners) listener()
    return verdict
  }

  async ping(): Promise<void> {
    await this.engine.run('touch', this.now())
  }

  async stats(): Promise<SpoolStats> {
    const { events, held, bytes, dead, lanes, parked, oldestAt } = await this.engine.run('totals')
    return {
      events,
      held,
      bytes,
      maxBytes: this.limits.maxBytes,
      deadLetters: dead,
      lanes,
      parkedLanes: parked,
      oldestArrivedAt: oldestAt ?? undefined
    }
  }

  async retain(): Promise<Retained> {
    const now = this.now()
    if (!(await this.engine.run('mayRetain', now))) return { messageIds: 0, deadLetters: 0, keyRefused: 0, lanes: 0 }
    const { engine, limits } = this
    return {
      messageIds: await untilDone(() => engine.run('forgetMessages', now - limits.dedupeMs, CHORE_ROWS)),
      deadLetters: await untilDone(() => engine.run('purgeDead', { until: now - limits.deadLetterMs }, CHORE_ROWS)),
      keyRefused: await untilDone(() => engine.run('buryParked', now - limits.maxAgeMs, CHORE_ROWS, now)),
      lanes: await untilDone(() => engine.run('forgetLanes', now - limits.dedupeMs, CHORE_ROWS))
    }
  }

  async close(): Promise<void> {
    await this.engine.close()
  }

  private pack(apiKey: string, { events, rejected }: AcceptRequest): Parcel {
    return {
      ...this.lock(apiKey),
      events: events.map((event) => ({
        messageKey: messageKey(event.messageId, 'event'),
        type: event.type,
        ...written(event.messageId, event)
      })),
      rejected: rejected.map(({ messageId, reason, item }) => ({
        messageKey: messageKey(messageId, 'rejected'),
        type: 'rejected',
        reason: storable(reason),
        ...written(messageId, item ?? null)
      }))
    }
  }

  private lock(apiKey: string): Pick<Parcel, 'fingerprint' | 'sealedKey'> {
    const known = this.keys.get(apiKey)
    if (known) return known
    const locked = { fingerprint: this.vault.fingerprint(apiKey), sealedKey: this.vault.seal(apiKey) }
    this.keys.set(apiKey, locked)
    return locked
  }

  private async bytesKept(): Promise<number> {
    const now = performance.now()
    if (now - this.bytes.countedAt > BYTES_MAX_AGE_MS) {
      this.bytes.countedAt = now
      this.bytes.kept = await this.engine.run('bytesKept')
    }
    return this.bytes.kept
  }

  private deadLetterDesk(): DeadLetters {
    const { engine } = this
    return {
      list: async (filter, { limit = LIST_ROWS, before } = {}) => {
        const found = await engine.run('listDead', { ...this.dead(filter), before }, limit)
        return found.map(toDeadLetter)
      },
      count: (filter) => engine.run('countDead', this.dead(filter)),
      show: async (id) => {
        const found = await engine.run('showDead', id)
        return found && { ...toDeadLetter(found), content: JSON.parse(found.body) }
      },
      retry: async (filter) => {
        const retried = await untilDone(() => engine.run('retryDead', this.dead(filter), CHORE_ROWS, this.now()))
        for (const listener of this.listeners) listener()
        return { retried, kept: await engine.run('countDead', { ...this.dead(filter), isEvent: false }) }
      },
      purge: (filter) => untilDone(() => engine.run('purgeDead', this.dead(filter), CHORE_ROWS))
    }
  }

  private laneDesk(): LaneDesk {
    return {
      list: async (filter = {}) => {
        const lanes = await this.engine.run('listLanes', { ...this.lane(filter), parked: filter.parked })
        return lanes.map(toLaneStatus)
      },
      unpark: async (filter) => {
        const count = await this.engine.run('unpark', this.lane(filter), this.now())
        for (const listener of this.listeners) listener()
        return count
      }
    }
  }

  private laneWork(): LaneWork {
    const { engine, now } = this
    return {
      beat: (worker, leaseMs) => engine.run('beat', worker, leaseMs),
      leave: (worker) => engine.run('leave', worker),
      claim: async (worker, query) => {
        const lanes = await engine.run('claim', worker, query, now())
        return lanes.map(({ fingerprint, sealedKey, ...lane }): ClaimedLane => {
          return { ...lane, lane: nameOf(fingerprint), apiKey: this.unseal(sealedKey) }
        })
      },
      head: async (lease, size): Promise<LanePage> => {
        const { events, complete } = held(lease, await engine.run('head', lease, size, now()))
        return {
          complete,
          events: events.map(({ body, ...event }) => ({ ...event, event: JSON.parse(body) as BridgeEvent }))
        }
      },
      whatIsKnown: async ({ laneId }, keys) => {
        const { emails, held } = await engine.run('whatIsKnown', laneId, keys)
        return { emails: new Map(emails), held }
      },
      fire: async (lease, eventId) => {
        held(lease, (await engine.run('fire', lease, eventId)) || undefined)
      },
      settle: async (lease, settlement) =>
        held(lease, await engine.run('settle', lease, storableDetails(settlement), now())),
      release: async (lease, rest) => {
        held(lease, (await engine.run('release', lease, storableReason(rest), now())) || undefined)
      },
      rewind: () => engine.run('rewind', now()),
      onArrival: (listener) => {
        this.listeners.add(listener)
        return () => this.listeners.delete(listener)
      }
    }
  }

  private unseal(sealedKey: string): string | undefined {
    try {
      return this.vault.unseal(sealedKey)
    } catch {
      return undefined
    }
  }

  private lane({ lane, apiKey }: { lane?: string; apiKey?: string }): LaneFilter {
    return { fingerprint: apiKey === undefined ? lane : this.vault.fingerprint(apiKey) }
  }

  private dead({ ids, reason, type, messageId, since, until, ...lane }: DeadLetterFilter): DeadFilter {
    return { ids, reason, type, messageId, since, until, ...this.lane(lane) }
  }
}

function held<Value>(lease: Lease, result: Value | undefined): Value {
  if (result === undefined) throw new LeaseLost(lease.laneId)
  return result
}

function written(messageId: string, content: unknown): { messageId: string; body: string; bytes: number } {
  const body = JSON.stringify(content)
  return { messageId: storable(messageId), body, bytes: Buffer.byteLength(body) + ROW_BYTES }
}

/** Postgres takes no NUL in a text. (In JSON it is written \u0000.) */
function storable(text: string): string {
  return text.replace(/\0/g, '')
}

function storableDetails({ dead, ...settlement }: Settlement): Settlement {
  return { ...settlement, dead: dead?.map((letter) => ({ ...letter, detail: storable(letter.detail) })) }
}

function storableReason({ parked, ...rest }: Rest): Rest {
  return { ...rest, parked: parked && { ...parked, reason: storable(parked.reason) } }
}

function sizeOf({ events, rejected }: Parcel): number {
  return [...events, ...rejected].reduce((total, { bytes }) => total + bytes, 0)
}

function nameOf(fingerprint: string): string {
  return fingerprint.slice(0, NAME_DIGITS)
}

function toDeadLetter(row: DeadRow): DeadLetter {
  return {
    id: row.id,
    lane: nameOf(row.fingerprint),
    messageId: row.message_id,
    type: row.type as DeadLetter['type'],
    reason: row.reason as DeadReason,
    detail: row.detail,
    attempts: row.attempts,
    arrivedAt: row.arrived_at,
    firstFailedAt: row.first_failed_at ?? undefined,
    diedAt: row.died_at,
    bytes: row.bytes
  }
}

function toLaneStatus(row: LaneRow): LaneStatus {
  return {
    lane: nameOf(row.fingerprint),
    events: row.events,
    held: row.held,
    bytes: row.bytes,
    deadLetters: row.dead,
    oldestArrivedAt: row.oldest_at ?? undefined,
    proven: row.succeeded_at !== null,
    parked:
      row.parked_at === null
        ? undefined
        : { since: row.parked_at, reason: row.parked_reason ?? '', nextTryAt: row.paused_until }
  }
}

/** Repeats a chore that does a limited number of rows until there are no more. @returns their total */
async function untilDone(chore: () => Promise<number>): Promise<number> {
  let total = 0
  for (let count = await chore(); count > 0; count = await chore()) total += count
  return total
}
