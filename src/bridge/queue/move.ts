import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Store } from './drivers/driver'
import { keepSecret } from './encryption'
import { QueueUnusable } from './errors'
import { isPostgres, openStore, ownSecret } from './open'
import type { MoveCursor, MoveMark } from './transactions/move'
import type { QueueStats } from './types'

export type Moved = Pick<QueueStats, 'partitions' | 'events' | 'deadLetters' | 'messageIds' | 'identityLinks'>

/**
 * Moves everything in a store to another one, which must be empty or hold what an interrupted move between the two has left.
 * The secret stays the same: for a SQLite file it is written beside it. No bridge can be started on the old store any more.
 * @param from a file path or `postgres://` URL, as for `openQueue`
 * @param progress is told how many of how many rows are moved
 * @throws QueueUnusable with the reason; QueueUnavailable: to be started again
 */
export async function moveStore(
  from: string,
  to: string,
  { secret, progress }: { secret?: string; progress?: (done: number, total: number) => void } = {}
): Promise<Moved> {
  if (placeOf(from) === placeOf(to) && (!isPostgres(from) || from === to)) {
    throw new QueueUnusable('The store can not be moved to where it is.')
  }
  if (!isPostgres(from) && !existsSync(from)) throw new QueueUnusable(`There is no store ${from}.`)
  const same = secret ?? ownSecret(from)
  const source = await openStore(from, { secret: same })
  try {
    const target = await openStore(to, { secret: same })
    try {
      if (!isPostgres(to)) keepSecret(`${to}.secret`, same)
      return await move(
        { store: source.store, place: placeOf(from) },
        { store: target.store, place: placeOf(to) },
        progress
      )
    } finally {
      await target.driver.close()
    }
  } finally {
    await source.driver.close()
  }
}

interface End {
  store: Store
  /** As people may read it: without a password. */
  place: string
}

async function move(from: End, to: End, progress: (done: number, total: number) => void = () => undefined) {
  let cursor = await begin(from, to)
  const total = await rowsOf(from.store)
  while (!cursor.isDone) {
    const { batch, next } = await from.store.readBatch(cursor)
    if (!(await to.store.writeBatch(cursor, batch, next))) {
      throw new QueueUnusable(`Somebody else is moving ${from.place} to ${to.place} at this moment.`)
    }
    cursor = next
    progress(Math.min(countOf(cursor), total), total)
  }
  const mark: MoveMark = { move: cursor.move, to: to.place, isDone: true }
  if (!(await from.store.markMoved(mark))) {
    throw new QueueUnusable(
      `A bridge was started on ${from.place} while it was moved. Stop it, and move the store again, to another place.`
    )
  }
  await to.store.endMove((await from.store.moveState()).prunedAt)
  const { partitions, events, deadLetters, messageIds, identityLinks } = await to.store.totals()
  return { partitions, events, deadLetters, messageIds, identityLinks }
}

/** Marks both stores. @returns where to go on */
async function begin(from: End, to: End): Promise<MoveCursor> {
  const { mark, cursor: filling } = await from.store.moveState()
  const { cursor: known, mark: elsewhere, isEmpty } = await to.store.moveState()
  if (filling)
    throw new QueueUnusable(`${from.place} has not got everything from ${filling.from}: end that move first.`)
  if (known && known.move === mark?.move) return known
  if (mark?.isDone) throw new QueueUnusable(`${from.place} was moved already, to ${mark.to}.`)
  if (known || elsewhere || !isEmpty) throw new QueueUnusable(`${to.place} is not empty. Name an empty store.`)
  const cursor: MoveCursor = { move: randomUUID(), from: from.place, table: 0, after: [], counts: {}, isDone: false }
  if (!(await from.store.markMoved({ move: cursor.move, to: to.place, isDone: false }))) throw running(from)
  if (!(await to.store.beginMove(cursor))) throw running(to)
  return cursor
}

/** A store as people may read of it: without a password. */
function placeOf(target: string): string {
  if (!isPostgres(target)) return path.resolve(target)
  const { host, pathname } = new URL(target)
  return `postgres://${host}${pathname}`
}

function running({ place }: End): QueueUnusable {
  return new QueueUnusable(`A bridge is running on ${place}, or was a few seconds ago. Stop it, and start this again.`)
}

/** Rows of the tables that can be large. */
async function rowsOf(store: Store): Promise<number> {
  const { events, deadLetters, messageIds, identityLinks } = await store.totals()
  return events + deadLetters + messageIds + identityLinks
}

function countOf({ counts }: MoveCursor): number {
  return Object.entries(counts).reduce((sum, [table, count]) => sum + (COUNTED.test(table) ? count : 0), 0)
}

const COUNTED = /^(events|dead_letters|message_ids.*|identity_links)$/
