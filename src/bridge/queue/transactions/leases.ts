import type { Lease, Pool, ReleaseState } from '../types'
import { COLUMNS, dueAfter, erase, lockPartitions, MAX_PAUSE_MS } from './partitions'
import type { Partition } from './partitions'
import { given, marks, row, rows, write } from './sql'
import type { Context, Row, Transaction } from './sql'

/** No worker's word on how long it lives is believed beyond this: its clock may have been wrong. */
const MAX_LEASE_MS = 60_000

/** What is asked for a leased partition. */
interface Asked {
  lease: Lease
}

/** The partition of each lease. Undefined: somebody else has it now. */
export function* findLeased(asked: Asked[]): Transaction<(Partition | undefined)[]> {
  const { where, ids } = leased(asked)
  return held(asked, yield* rows<Partition>(`SELECT ${COLUMNS} FROM partitions WHERE ${where}`, ...ids))
}

/** Locks the partition of each lease. Undefined: somebody else has it now, and nothing may be written. */
export function* lockLeased(context: Context, asked: Asked[]): Transaction<(Partition | undefined)[]> {
  const { where, ids } = leased(asked)
  return held(asked, yield* lockPartitions(context, where, ...ids))
}

/** What is asked for those whose lease is not lost, with their partition. */
export function withPartition<One extends Asked>(
  asked: One[],
  partitions: (Partition | undefined)[]
): (One & { partition: Partition })[] {
  return asked.flatMap((one, index) => {
    const partition = partitions[index]
    return partition ? [{ ...one, partition }] : []
  })
}

function leased(asked: Asked[]): { where: string; ids: number[] } {
  const ids = [...new Set(asked.map(({ lease }) => lease.partitionId))]
  return { where: `id IN (${marks(ids)}) AND worker IS NOT NULL`, ids }
}

function held(asked: Asked[], found: Partition[]): (Partition | undefined)[] {
  const byId = new Map(found.map((partition) => [partition.id, partition]))
  return asked.map(({ lease: { partitionId, token } }) => {
    const partition = byId.get(partitionId)
    return partition?.token === token ? partition : undefined
  })
}

/** Says that the worker lives. Its partitions are its own until `leaseMs` from now without another word. */
function* heartbeat({ dialect }: Context, worker: string, leaseMs: number): Transaction<void> {
  yield* write(
    `INSERT INTO workers (id, alive_until) VALUES (?, ${dialect.clock} + ?)
      ON CONFLICT (id) DO UPDATE SET alive_until = excluded.alive_until`,
    worker,
    Math.min(leaseMs, MAX_LEASE_MS)
  )
  yield* write(`DELETE FROM workers WHERE alive_until < ${dialect.clock} - ?`, 24 * 60 * 60 * 1000)
}

/** How many workers live. */
export function* livingWorkers({ dialect }: Context): Transaction<number> {
  const living = yield* row<{ count: number }>(
    `SELECT COUNT(*) AS count FROM workers
      WHERE alive_until > ${dialect.clock} AND alive_until <= ${dialect.clock} + ${MAX_LEASE_MS}`
  )
  return living?.count ?? 0
}

/** The worker is gone for good. What it was working on is free at once. */
function* deregister(_context: Context, worker: string): Transaction<void> {
  yield* write('DELETE FROM workers WHERE id = ?', worker)
}

type ClaimedRow = Pick<
  Partition,
  'id' | 'fingerprint' | 'token' | 'encrypted_key' | 'pool' | 'failures' | 'succeeded_at'
>

/** Frees what has the worker's name on it without being worked on: it was claimed, and the worker never heard of it. */
function* letGo(_context: Context, worker: string, workedOn: number[]): Transaction<void> {
  const others = workedOn.length > 0 ? `AND id NOT IN (${marks(workedOn)})` : ''
  yield* write(`UPDATE partitions SET worker = NULL WHERE worker = ? ${others}`, worker, ...workedOn)
}

/** Takes up to `limit` partitions of each pool that are due and nobody living works on, the longest due first. */
function* claim(context: Context, asked: { worker: string; pool: Pool; limit: number }[]): Transaction<ClaimedRow[][]> {
  const claimed: ClaimedRow[][] = []
  for (const { worker, pool, limit } of asked) claimed.push(yield* claimFrom(context, worker, pool, limit))
  return claimed
}

function* claimFrom({ dialect, now }: Context, worker: string, pool: Pool, limit: number): Transaction<ClaimedRow[]> {
  const found = yield* rows<ClaimedRow>(
    `SELECT id, fingerprint, token, encrypted_key, pool, failures, succeeded_at FROM partitions
      WHERE pool = ? AND due_at <= ? AND (worker IS NULL OR (worker <> ? AND NOT EXISTS (
        SELECT 1 FROM workers WHERE workers.id = partitions.worker
          AND alive_until > ${dialect.clock} AND alive_until <= ${dialect.clock} + ${MAX_LEASE_MS})))
      ORDER BY due_at LIMIT ? ${dialect.lockFree}`,
    pool,
    now,
    worker,
    limit
  )
  if (found.length === 0) return []
  yield* write(
    `UPDATE partitions SET worker = ?, token = token + 1 WHERE id IN (${marks(found)})`,
    worker,
    ...found.map(({ id }) => id)
  )
  return found.map((partition) => ({ ...partition, token: partition.token + 1 }))
}

/**
 * Gives partitions back, to be due again when there is something to do and the pause is over. A key that EmailSendX has
 * never accepted and does not know loses everything.
 * @returns how many events and dead letters are lost; undefined: lease lost.
 */
function* release(
  context: Context,
  asked: { lease: Lease; state: ReleaseState }[]
): Transaction<({ erased: number } | undefined)[]> {
  const partitions = yield* lockLeased(context, asked)
  const released = withPartition(asked, partitions)
  for (const { partition, state } of released) if (isUnknown(partition, state)) yield* erase(partition.id)
  if (released.length === 0) return asked.map(() => undefined)
  const ids = released.map(({ partition }) => partition.id)
  const waiting = yield* rows<{ id: number } & Waiting>(
    `SELECT id, (SELECT arrived_at FROM events
        WHERE partition_id = partitions.id AND deferred_until IS NULL ORDER BY events.id LIMIT 1) AS oldest_at,
      (SELECT MIN(deferred_until) FROM events
        WHERE partition_id = partitions.id AND deferred_until IS NOT NULL) AS ripe_at
      FROM partitions WHERE id IN (${marks(ids)})`,
    ...ids
  )
  const waitingIn = new Map(waiting.map((row) => [row.id, row]))
  yield* write(
    `UPDATE partitions SET worker = NULL, ${Object.keys(LEFT)
      .map((column) => `${column} = given.${column}`)
      .join(', ')} FROM ${context.dialect.given({ id: 'BIGINT', ...LEFT })} AS given WHERE partitions.id = given.id`,
    given(
      released.map(({ partition, state }) => {
        const left = leftLike(partition, state, waitingIn.get(partition.id) as Waiting, context.now)
        return [partition.id, ...Object.keys(LEFT).map((column) => left[column as keyof typeof LEFT])]
      })
    )
  )
  return asked.map(({ state }, index) => {
    const partition = partitions[index]
    return partition && { erased: isUnknown(partition, state) ? partition.events + partition.dead : 0 }
  })
}

/** The columns of a partition that a run changes. */
const LEFT = {
  pool: 'TEXT',
  due_at: 'BIGINT',
  paused_until: 'BIGINT',
  failures: 'BIGINT',
  oldest_at: 'BIGINT',
  succeeded_at: 'BIGINT',
  tried_at: 'BIGINT',
  suspended_at: 'BIGINT',
  suspended_status: 'BIGINT',
  suspended_reason: 'TEXT',
  events: 'BIGINT',
  bytes: 'BIGINT',
  dead: 'BIGINT',
  dead_bytes: 'BIGINT',
  message_ids: 'BIGINT',
  links: 'BIGINT'
} as const

interface Waiting extends Row {
  /** Arrival of the first event that is not deferred. */
  oldest_at: number | null
  /** When the first deferred event is to be tried. */
  ripe_at: number | null
}

/** EmailSendX has never accepted the key of the partition, and does not know it. */
function isUnknown({ succeeded_at }: Partition, { suspended, succeeded }: ReleaseState): boolean {
  return suspended?.status === 401 && !succeeded && succeeded_at === null
}

/** What a partition is like after a run. */
function leftLike(
  partition: Partition,
  state: ReleaseState,
  { oldest_at, ripe_at }: Waiting,
  now: number
): Pick<Partition, keyof typeof LEFT> {
  const { suspended, succeeded } = state
  const succeededAt = succeeded ? now : partition.succeeded_at
  const isLost = isUnknown(partition, state)
  const pausedUntil = Math.min(state.pausedUntil, now + MAX_PAUSE_MS)
  return {
    ...partition,
    pool: succeededAt === null ? 'unproven' : state.slow ? 'slow' : 'normal',
    due_at: dueAt(),
    paused_until: pausedUntil,
    failures: state.failures,
    oldest_at,
    succeeded_at: succeededAt,
    tried_at: state.tried ? now : partition.tried_at,
    ...(suspended
      ? {
          suspended_at: partition.suspended_at ?? now,
          suspended_status: suspended.status,
          suspended_reason: suspended.reason
        }
      : succeeded && { suspended_at: null, suspended_status: null, suspended_reason: null }),
    ...(isLost && { events: 0, bytes: 0, dead: 0, dead_bytes: 0, message_ids: 0, links: 0 })
  }

  function dueAt(): number | null {
    if (partition.paused) return null
    const isToBeProven = succeededAt === null && !isLost
    if (oldest_at !== null || isToBeProven) return dueAfter(pausedUntil, now)
    if (ripe_at === null) return null
    return Math.max(dueAfter(pausedUntil, now), Math.min(ripe_at, now + MAX_PAUSE_MS))
  }
}

/** The clock was set back: what was to be done at a time of the old clock is done now. */
function* reschedule({ now }: Context): Transaction<void> {
  yield* write('UPDATE partitions SET due_at = ?, paused_until = ? WHERE due_at > ?', now, now, now)
}

export const transactions = { heartbeat, deregister, letGo, claim, release, reschedule }
