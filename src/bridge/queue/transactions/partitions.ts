import type { Pool } from '../types'
import { MESSAGE_ID_TABLES } from './message-ids'
import { rows, updateEach, write } from './sql'
import type { Context, Param, Row, Transaction } from './sql'

/**
 * No partition is left alone for longer than this, whatever was asked of it. A time further away than that can only come
 * from a clock that has since been set back, and counts as now.
 */
export const MAX_PAUSE_MS = 60 * 60 * 1000

/** Digits of a fingerprint that make a partition's short name. */
const NAME_DIGITS = 12

/** A row of `partitions`. */
export interface Partition extends Row {
  id: number
  fingerprint: string
  encrypted_key: string
  pool: Pool
  due_at: number | null
  paused: number
  paused_until: number
  failures: number
  token: number
  /** Last time a call came to something, ms since 1970; null: never, and nobody knows whether the key is one. */
  succeeded_at: number | null
  suspended_at: number | null
  suspended_status: number | null
  suspended_reason: string | null
  tried_at: number
  oldest_at: number | null
  last_event_id: number
  /** Noted since the partition was made, also those that are forgotten by now. */
  message_ids: number
  links: number
  events: number
  bytes: number
  delivered: number
  dead: number
  dead_bytes: number
}

export const COLUMNS = `id, fingerprint, encrypted_key, pool, due_at, paused, paused_until, failures, token, succeeded_at,
  suspended_at, suspended_status, suspended_reason, tried_at, oldest_at, last_event_id, message_ids, links, events, bytes, delivered, dead, dead_bytes`

/** What is kept with a partition in numbers, so that nobody has to count rows. */
const COUNTS = ['events', 'bytes', 'delivered', 'dead', 'dead_bytes', 'message_ids', 'links'] as const
export type Counts = Pick<Partition, (typeof COUNTS)[number]>

/** Adds to the counts of a locked partition, to be saved. */
export function add(partition: Partition, by: Partial<Counts>): void {
  for (const name of COUNTS) partition[name] += by[name] ?? 0
}

/** Writes down the counts of locked partitions, and other columns of theirs, as they have become. */
export function* save(
  partitions: Iterable<Partition>,
  others: ('last_event_id' | 'oldest_at' | 'paused_until' | 'due_at')[] = []
): Transaction<void> {
  const columns = ['id', ...COUNTS, ...others] as const
  yield* updateEach(
    'partitions',
    [...columns],
    Array.from(partitions, (partition) => columns.map((column) => partition[column]))
  )
}

/** Selects partitions, and locks them for the transaction, always in the order of their ids. */
export function* lockPartitions({ dialect }: Context, where: string, ...params: Param[]): Transaction<Partition[]> {
  return yield* rows<Partition>(
    `SELECT ${COLUMNS} FROM partitions WHERE ${where} ORDER BY id ${dialect.lock}`,
    ...params
  )
}

/** When a partition with something to do is due, given how long it was asked to pause. All times in ms since 1970. */
export function dueAfter(pausedUntil: number, now: number): number {
  return pausedUntil > now && pausedUntil <= now + MAX_PAUSE_MS ? pausedUntil : now
}

/** What logs and people call a partition. */
export function nameOf(fingerprint: string): string {
  return fingerprint.slice(0, NAME_DIGITS)
}

/** Conditions on a partition. */
export interface PartitionCondition {
  /** Whole fingerprint, or its start. */
  fingerprint?: string
  suspended?: boolean
}

export function whereOf({ fingerprint, suspended }: PartitionCondition): { where: string; params: Param[] } {
  const conditions = ['1 = 1']
  const params: Param[] = []
  if (fingerprint !== undefined) {
    conditions.push('substr(fingerprint, 1, ?) = ?')
    params.push(fingerprint.length, fingerprint)
  }
  if (suspended !== undefined) conditions.push(`suspended_at IS ${suspended ? 'NOT NULL' : 'NULL'}`)
  return { where: conditions.join(' AND '), params }
}

/** Deletes all that belongs to a partition, but not its row. */
export function* erase(id: number): Transaction<void> {
  for (const table of TABLES) yield* write(`DELETE FROM ${table} WHERE partition_id = ?`, id)
}

const TABLES = [
  'events',
  'blocked_keys',
  ...MESSAGE_ID_TABLES,
  'identity_links',
  'contact_ids',
  'live_traits',
  'event_names',
  'dead_letters'
]
