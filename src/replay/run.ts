import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { Registry } from 'prom-client'
import { startDelivery } from '../bridge/delivery'
import { PartitionRefused, QueueFull } from '../bridge/queue'
import type { EnqueueRequest, PartitionStatus, Queue } from '../bridge/queue'
import { Budget } from './budget'
import type { History } from './history'
import { done, nextPortion } from './portions'

export interface RunOptions {
  history: History
  queue: Queue
  apiKey: string
  /** Calls a minute at most. */
  budget: number
  listId?: string
  /** Delivers what is in the queue; absent where a bridge does. */
  delivery?: { apiUrl: string; warn: (words: string) => void }
  /** Ends the run; it goes on with the next one. */
  signal: AbortSignal
}

/** The key can't be used; the message says why. */
export class KeyRefused extends Error {}

const MIN_POLL_MS = 10
const MAX_POLL_MS = 500
/** Events in the queue of a bridge from which on nothing is added, so that live ones never wait long behind these. */
const MAX_BACKLOG = 500
const MAX_EVENTS = 500

/** Sends everything that has not been sent yet. Resolves when nothing is left of it in the queue. @throws KeyRefused, AbortError */
export async function run(options: RunOptions): Promise<void> {
  const { history, queue, apiKey, budget, delivery, signal } = options
  await checkKey(history, queue, apiKey)
  if (history.get('run') === undefined) history.set('run', randomUUID())
  const registry = new Registry()
  const worker =
    delivery &&
    startDelivery({
      queue,
      apiUrl: delivery.apiUrl,
      registry,
      // An event that may have been fired is not fired again.
      onUnknownOutcome: 'dead-letter',
      log: logTo(delivery.warn)
    })
  try {
    await feed(options, new Budget(budget), () => callsMade(registry))
  } finally {
    await worker?.stop()
  }
  signal.throwIfAborted()
}

async function feed(options: RunOptions, budget: Budget, calls: () => Promise<number>): Promise<void> {
  const { history, delivery, signal, listId } = options
  const maxEvents = Math.min(MAX_EVENTS, Math.max(1, Math.floor(options.budget / 6)))
  let counted = 0
  const settle = async (isEnd: boolean) => {
    await drained(options, delivery ? 0 : MAX_BACKLOG, isEnd && delivery !== undefined)
    const made = await calls()
    budget.spend(made - counted)
    add(history, 'calls', made - counted)
    counted = made
  }

  await settle(false)
  for (
    let next = nextPortion(history, { listId, maxEvents });
    next;
    next = nextPortion(history, { listId, maxEvents })
  ) {
    await budget.wait(signal)
    const { events, rejected } = next
    add(history, 'duplicates', await enqueue(options, { events, rejected }))
    next.done()
    // What a bridge makes of it is not seen here: a call for each portion of contacts, one or two for each event.
    if (!delivery) budget.spend(events[0]?.type === 'identify' ? 1 : events.length)
    await settle(false)
  }
  await settle(true)
  history.set('finished', new Date().toISOString())
}

/** Puts events into the queue, as soon as the key is known to be one. @returns how many were there before */
async function enqueue({ history, queue, apiKey, signal }: RunOptions, request: EnqueueRequest): Promise<number> {
  for (;;) {
    try {
      return (await queue.enqueue({ apiKey }, request)).duplicates
    } catch (error) {
      if (error instanceof PartitionRefused) throw refused(history, error.message)
      if (!(error instanceof QueueFull && error.limit === 'unproven')) throw error
      await setTimeout(MAX_POLL_MS, undefined, { signal })
    }
  }
}

/** Waits until no more than so many events of the key wait in the queue; `deferred` counts those that are put off, too. */
async function drained({ history, queue, apiKey, signal }: RunOptions, max: number, deferred: boolean): Promise<void> {
  for (let pause = MIN_POLL_MS; ; pause = Math.min(MAX_POLL_MS, pause * 1.5)) {
    const partition = await partitionOf(queue, { apiKey })
    const isRefused = partition?.suspended && partition.suspended.nextTryAt > Date.now()
    if (isRefused && partition.proven) throw new KeyRefused(partition.suspended?.reason)
    // One that EmailSendX has never accepted may lose its partition.
    const isGone = !partition && done(history, 'people') + done(history, 'firing') > 0
    if (isRefused || isGone) throw refused(history, partition?.suspended?.reason)
    if (!partition) return
    history.set('partition', partition.partition)
    if (partition.events - (deferred ? 0 : partition.deferred) <= max) return
    await setTimeout(pause, undefined, { signal })
  }
}

/** Nothing was sent with this key, so that with the right one it begins from the start. */
function refused(history: History, words = 'EmailSendX does not know this API key.'): KeyRefused {
  for (const table of ['people', 'firing', 'problems']) history.set(`${table}_done`, '0')
  return new KeyRefused(words)
}

async function checkKey(history: History, queue: Queue, apiKey: string): Promise<void> {
  const before = history.get('partition')
  const partition = await partitionOf(queue, { apiKey })
  if (
    before !== undefined &&
    before !== partition?.partition &&
    done(history, 'people') + done(history, 'firing') > 0
  ) {
    throw new KeyRefused('This replay was begun with another API key: use that one, or begin anew with another --dir.')
  }
  // What was refused may be allowed by now.
  await queue.partitions.resume({ apiKey })
}

async function partitionOf(
  queue: Queue,
  filter: { apiKey?: string; partition?: string }
): Promise<PartitionStatus | undefined> {
  return (await queue.partitions.list(filter))[0]
}

function logTo(warn: (words: string) => void): Parameters<typeof startDelivery>[0]['log'] {
  const pass = (_about: object, words?: string) => warn(words ?? '')
  return { debug: () => undefined, info: () => undefined, warn: pass, error: pass } as Parameters<
    typeof startDelivery
  >[0]['log']
}

/** Requests that were answered, as the delivery counts them. */
async function callsMade(registry: Registry): Promise<number> {
  const metric = await registry.getSingleMetric('bridge_api_requests_total')?.get()
  return metric?.values.reduce((sum, { value }) => sum + value, 0) ?? 0
}

function add(history: History, name: string, count: number): void {
  if (count > 0) history.set(name, String(Number(history.get(name) ?? 0) + count))
}
