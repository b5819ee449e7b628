import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { Registry } from 'prom-client'
import { startDelivery } from '../bridge/delivery'
import type { DeliveryOptions } from '../bridge/delivery'
import { PartitionRefused, QueueFull } from '../bridge/queue'
import type { PartitionStatus, Queue } from '../bridge/queue'
import { Budget } from './budget'
import type { History } from './history'
import { learnIds } from './learn'
import { nextPortion, sent, startOver } from './portions'
import type { Portion } from './portions'

export interface RunOptions {
  history: History
  queue: Queue
  apiKey: string
  /** Where EmailSendX is. Absent: the queue is a bridge's, which delivers what is in it beside live events. */
  apiUrl?: string
  /** Calls a minute at most. */
  budget: number
  /** List that the contacts join. */
  listId?: string
  /** Learns the ids of contacts by the page before events are fired at them. */
  learnsIds?: boolean
  /** Told what goes wrong meanwhile. */
  warn: (words: string) => void
  /** Ends the run; the next one goes on from there. */
  signal: AbortSignal
}

const MIN_POLL_MS = 10
const MAX_POLL_MS = 500
/** Events in the queue at once: as many as the budget allows in ten seconds. */
const MAX_EVENTS = 500
const PORTIONS_A_MINUTE = 6
/** So many events may wait in a bridge's queue when more are put behind them: live ones never wait long for these. */
const MAX_BACKLOG = 100
/** A bridge that has done nothing for so long is not running, or can't reach EmailSendX. */
const IDLE_MS = 30_000

/**
 * Sends everything that has not been sent yet. Resolves when nothing is left of it in the queue.
 * @throws when the key can't be used; AbortError when `signal` ends it
 */
export async function run(options: RunOptions): Promise<void> {
  const { history, signal } = options
  await checkKey(options)
  if (history.get('run') === undefined) history.set('run', randomUUID())
  await (options.apiUrl === undefined ? throughBridge(options) : throughOwnQueue(options, options.apiUrl))
  signal.throwIfAborted()
}

async function throughOwnQueue({ history, queue, warn, ...options }: RunOptions, apiUrl: string): Promise<void> {
  const registry = new Registry()
  const delivery = startDelivery({
    queue,
    apiUrl,
    registry,
    // An event that may have been fired is not fired again.
    onUnknownOutcome: 'dead-letter',
    log: logTo(warn)
  })
  let counted = 0
  /** Calls made since it was asked last. */
  const newCalls = async () => {
    const calls = (await callsMade(registry)) - counted
    counted += calls
    noteCalls(history, calls)
    return calls
  }
  try {
    await feed({ history, queue, warn, ...options, apiUrl }, newCalls)
  } finally {
    await delivery.stop()
    await newCalls()
  }
}

/** The bridge's calls are not seen from here. */
async function throughBridge(options: RunOptions): Promise<void> {
  await feed(options, async (portion) => portion?.maxCalls ?? 0)
}

/** Puts one portion after the other into the queue: when the one before is gone, and the budget allows. */
async function feed(options: RunOptions, newCalls: (portion?: Portion) => Promise<number>): Promise<void> {
  const { history, signal, listId } = options
  const maxEvents = Math.min(MAX_EVENTS, Math.max(1, Math.floor(options.budget / PORTIONS_A_MINUTE)))
  const budget = new Budget(options.budget)
  const spend = async () => budget.spend(await newCalls())
  for (;;) {
    await emptied(options, spend)
    const portion = nextPortion(history, { listId, maxEvents })
    if (!portion) break
    if (portion.events.length > 0) await budget.wait(signal)
    if (portion.events[0]?.type === 'track') await learn(options, budget)
    await enqueue(options, portion)
    portion.done()
    budget.spend(await newCalls(portion))
  }
  await emptied(options, spend, { deferred: true })
  history.set('finished', new Date().toISOString())
}

/** Before the first event is fired: all contacts are there by then. */
async function learn({ history, queue, apiKey, apiUrl, learnsIds, signal }: RunOptions, budget: Budget): Promise<void> {
  if (!learnsIds || apiUrl === undefined) return
  const noteCall = () => noteCalls(history, 1)
  await learnIds({ history, queue, settings: { apiKey, apiUrl }, budget, noteCall, signal })
}

function noteCalls(history: History, calls: number): void {
  history.set('calls', String(Number(history.get('calls') ?? 0) + calls))
}

/** Puts a portion into the queue, as soon as EmailSendX has said that it knows the key. */
async function enqueue({ history, queue, apiKey, signal }: RunOptions, portion: Portion): Promise<void> {
  for (;;) {
    try {
      await queue.enqueue({ apiKey }, portion)
      return
    } catch (error) {
      if (error instanceof PartitionRefused) throw refused(history, error.message)
      if (!(error instanceof QueueFull && error.limit === 'unproven')) throw error
      await setTimeout(MAX_POLL_MS, undefined, { signal })
    }
  }
}

/**
 * Waits until nothing waits in the queue (in a bridge's, not much), or until not even an event does that was put off because
 * it kept failing.
 * @param look called whenever it looks
 */
async function emptied(
  { history, queue, apiKey, apiUrl, warn, signal }: RunOptions,
  look: () => Promise<void>,
  { deferred = false } = {}
): Promise<void> {
  const isBridge = apiUrl === undefined
  let idle = { events: NaN, since: 0, isTold: false }
  for (let pause = MIN_POLL_MS; ; pause = Math.min(MAX_POLL_MS, pause * 1.5)) {
    const partition = await partitionOf(queue, apiKey)
    await look()
    const { suspended } = partition ?? {}
    if (suspended && suspended.nextTryAt > Date.now()) {
      throw partition?.proven ? new Error(suspended.reason) : refused(history, suspended.reason)
    }
    if (!partition) {
      // The bridge deletes the partition of a key that EmailSendX does not know.
      if (sent(history) > 0) throw refused(history)
      return
    }
    history.set('partition', partition.partition)
    const ready = partition.events - (deferred && !isBridge ? 0 : partition.deferred)
    if (ready <= (isBridge ? MAX_BACKLOG : 0)) return
    if (partition.events !== idle.events) idle = { events: partition.events, since: Date.now(), isTold: false }
    else if (isBridge && !idle.isTold && Date.now() - idle.since > IDLE_MS) {
      idle.isTold = true
      warn('nothing is delivered from this store: is its bridge running, and can it reach EmailSendX?')
    }
    await setTimeout(pause, undefined, { signal })
  }
}

/** Nothing was sent with this key, so that with the right one everything is. */
function refused(history: History, words = 'EmailSendX does not know this API key.'): Error {
  startOver(history)
  return new Error(words)
}

async function checkKey({ history, queue, apiKey }: RunOptions): Promise<void> {
  const before = history.get('partition')
  if (sent(history) > 0 && before !== undefined && before !== (await partitionOf(queue, apiKey))?.partition) {
    throw new Error('this replay was begun with another API key: use that one, or begin anew with another --dir')
  }
  // What was refused may be allowed by now.
  await queue.partitions.resume({ apiKey })
}

async function partitionOf(queue: Queue, apiKey: string): Promise<PartitionStatus | undefined> {
  return (await queue.partitions.list({ apiKey }))[0]
}

/** Requests that were answered, as the delivery counts them. */
async function callsMade(registry: Registry): Promise<number> {
  const metric = await registry.getSingleMetric('bridge_api_requests_total')?.get()
  return metric?.values.reduce((sum, { value }) => sum + value, 0) ?? 0
}

function logTo(warn: (words: string) => void): DeliveryOptions['log'] {
  const pass = (_about: object, words?: string) => warn(words ?? '')
  return { debug: () => undefined, info: () => undefined, warn: pass, error: pass } as DeliveryOptions['log']
}
