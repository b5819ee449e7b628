import { setTimeout } from 'node:timers/promises'
import { createRequestClient } from '@segment/actions-core'
import { readContacts, requestOptions } from '../../definitions/emailsendx/functions'
import type { ContactsPage, Settings } from '../../definitions/emailsendx/functions'
import type { Queue } from '../bridge/queue'
import type { Budget } from './budget'
import type { History } from './history'
import { done } from './portions'

export interface LearnOptions {
  history: History
  queue: Queue
  settings: Settings
  budget: Budget
  /** Told of each request that was answered. */
  noteCall: () => void
  signal: AbortSignal
}

/** Requests for one page. */
const MAX_TRIES = 5
const PAUSE_MS = 5_000

/** Reads the contacts, once. */
export async function learnIds(options: LearnOptions): Promise<void> {
  const { history } = options
  if (history.get('ids_learned') !== undefined) return
  await readPages(options)
  history.set('ids_learned', new Date().toISOString())
}

/**
 * Writes to the queue the ids of the contacts that events are to be fired at, a page of a hundred at a time, as long as that takes
 * fewer calls than looking up each: every contact of the account is read for it. Ids that are not found so are looked up.
 */
async function readPages(options: LearnOptions): Promise<void> {
  const { history, queue, settings } = options
  const missing = peopleToFire(history)
  for (let page = Number(history.get('pages_read') ?? 0) + 1; ; page++) {
    const read = await pageOf(page, options)
    if (!read) return
    const wanted = read.contacts.filter(({ email }) => missing.has(email))
    await queue.partitions.learnContacts({ apiKey: settings.apiKey }, wanted)
    for (const { email } of wanted) missing.delete(email)
    history.set('pages_read', String(page))
    const { pages = 0 } = read
    if (page >= pages || pages - page >= missing.size) return
  }
}

/** @returns undefined when it can't be had */
async function pageOf(page: number, options: LearnOptions): Promise<ContactsPage | undefined> {
  const { settings, budget, noteCall, signal } = options
  const client = createRequestClient(requestOptions(settings), { signal, afterResponse: [noteCall] })
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    await budget.wait(signal)
    budget.spend(1)
    const read = await readContacts(client, settings, page)
    signal.throwIfAborted()
    if (!('kind' in read)) return read
    if (read.kind !== 'retry') return undefined
    await setTimeout(read.retryAfterMs ?? PAUSE_MS, undefined, { signal })
  }
  return undefined
}

/** The addresses that events are still to be fired at. */
function peopleToFire(history: History): Set<string> {
  const rows = history.rows<{ email: string }>(
    'SELECT DISTINCT email FROM firing WHERE id > ?',
    done(history, 'firing')
  )
  return new Set([...rows].map(({ email }) => email))
}
