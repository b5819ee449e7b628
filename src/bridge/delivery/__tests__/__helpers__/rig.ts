import pino from 'pino'
import { SANDBOX_KEY, startSandbox } from '../../../../sandbox'
import type { Sandbox, SandboxOptions } from '../../../../sandbox'
import type { BridgeEvent } from '../../../event'
import { LeaseLost, openQueue } from '../../../queue'
import type { DeadLetterFilter, PartitionStatus, Pool, Queue, QueueOptions } from '../../../queue'
import { prove } from '../../../queue/__tests__/__helpers__/prove'
import { SECRET } from '../../../queue/__tests__/__helpers__/stores'
import { startDelivery } from '../..'
import type { Delivery, DeliveryOptions } from '../..'

/** What the sandbox tells about itself, as far as the tests look. Newest first. */
interface State {
  totals: { contacts: number; events: number; requests: number }
  contacts: { email: string; firstName: string | null; metadata: Record<string, unknown> }[]
  members: { listId: string; email: string }[]
  events: { email: string; name: string; data: unknown }[]
  requests: { route: string; count: number; answers: Record<string, number> }[]
}

type RigOptions = Partial<DeliveryOptions> &
  Pick<SandboxOptions, 'rateLimit'> &
  QueueOptions & {
    store?: string
    /** EmailSendX has accepted the sandbox's key before. Default true. */
    proven?: boolean
  }

/** Kinds of {@link Pool}. */
const POOLS = 3
const START = Date.UTC(2026, 10, 23, 12)

/** A sandbox, a queue in memory, and the delivery between them, all by one clock that stands still until it is moved. */
export class Rig {
  log: string[] = []
  /** The key of {@link take}, which the sandbox and the queue know. */
  apiKey = SANDBOX_KEY
  /** What the sandbox calls that key. */
  keyId = 'key_default'
  private delivery?: Delivery
  private wake = () => undefined as void
  /** How often something has happened. */
  private changes = 0
  /** Pools in which there was nothing to do since. */
  private readonly idlePools = new Set<Pool>()
  private onIdle = () => undefined as void
  /** Partitions that are worked on. */
  private working = 0

  private constructor(readonly sandbox: Sandbox, readonly queue: Queue, private readonly clock: { now: number }) {
    const { claim, onEnqueue, release } = queue.runs
    const work = (more: number) => {
      this.working += more
      this.changed()
    }
    queue.runs.onEnqueue = (listener) => {
      this.wake = listener
      return onEnqueue(listener)
    }
    queue.runs.claim = async (worker, query) => {
      const { changes } = this
      const partitions = await claim(worker, query)
      if (partitions.length > 0) work(partitions.length)
      else if (this.working === 0 && changes === this.changes) this.isIdle(query.pool)
      return partitions
    }
    queue.runs.release = async (lease, state) => {
      try {
        const released = await release(lease, state)
        work(-1)
        return released
      } catch (error) {
        if (error instanceof LeaseLost) work(-1)
        throw error
      }
    }
  }

  /** ms since 1970. */
  get now(): number {
    return this.clock.now
  }

  set now(time: number) {
    this.clock.now = time
  }

  static async start(options: RigOptions = {}): Promise<Rig> {
    const clock = { now: START }
    const now = () => clock.now
    const sandbox = await startSandbox({ port: 0, now, rateLimit: options.rateLimit ?? 100_000 })
    const queue = await openQueue(options.store ?? ':memory:', { ...options, secret: SECRET, now })
    if (options.proven ?? true) await prove(queue, SANDBOX_KEY)
    const rig = new Rig(sandbox, queue, clock)
    rig.deliver(options)
    return rig
  }

  /**
   * Begins anew without starting anything but the delivery: a sandbox that knows nothing, a key, and so an empty partition, of
   * its own, and nothing left of the events before. The clock goes on.
   */
  async renew({
    rateLimit,
    ...options
  }: Partial<DeliveryOptions> & Pick<SandboxOptions, 'rateLimit'> = {}): Promise<void> {
    await this.stopDelivery()
    await this.queue.partitions.drop({})
    await this.queue.deadLetters.purge({})
    await this.control('POST', 'reset')
    if (rateLimit !== undefined) await this.control('PATCH', 'settings', { rateLimit })
    const { id, key } = await this.control<{ id: string; key: string }>('POST', 'keys', {})
    await prove(this.queue, key)
    Object.assign(this, { apiKey: key, keyId: id, log: [], working: 0 })
    this.deliver(options)
  }

  /** Starts the delivery (again). */
  deliver(options: Partial<DeliveryOptions> = {}): void {
    this.delivery = startDelivery({
      queue: this.queue,
      apiUrl: this.sandbox.url,
      log: pino({ level: 'info' }, { write: (line: string) => void this.log.push(line) }),
      now: () => this.now,
      pollMs: 100,
      probesPerSecond: 1e9,
      ...options
    })
  }

  async stopDelivery(): Promise<void> {
    await this.delivery?.stop()
  }

  async end(): Promise<void> {
    await this.delivery?.stop()
    await this.queue.close()
    await this.sandbox.close()
  }

  async take(...events: BridgeEvent[]): Promise<void> {
    await this.takeFor(this.apiKey, ...events)
  }

  async takeFor(apiKey: string, ...events: BridgeEvent[]): Promise<void> {
    await this.queue.enqueue({ apiKey }, { events, rejected: [] })
  }

  /** Resolves when there is nothing the delivery could do at this time. */
  async quiet(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.onIdle = resolve
      this.changed()
      this.wake()
    })
  }

  private changed(): void {
    this.changes++
    this.idlePools.clear()
  }

  private isIdle(pool: Pool): void {
    this.idlePools.add(pool)
    if (this.idlePools.size === POOLS) this.onIdle()
  }

  /** Moves the clock, in steps, and lets everything happen that is due. */
  async pass(ms: number, step = ms): Promise<void> {
    for (let passed = 0; passed < ms; passed += step) {
      this.now += Math.min(step, ms - passed)
      await this.quiet()
    }
  }

  /** Moves the clock from one time at which something is due to the next, until nothing is left to do or so long has passed. */
  async settle(ms: number): Promise<void> {
    const end = this.now + ms
    for (let due = this.now; due <= end; due = (await this.partition()).nextCallAt ?? Infinity) {
      this.now = Math.max(this.now, due)
      await this.quiet()
    }
  }

  /** Resolves when the next event is about to be fired, and that is written down. */
  async nextFiring(): Promise<void> {
    const { runs } = this.queue
    const { markFiring } = runs
    await new Promise<void>((resolve) => {
      runs.markFiring = async (lease, id) => {
        await markFiring(lease, id)
        runs.markFiring = markFiring
        resolve()
      }
    })
  }

  async state(): Promise<State> {
    return (await (await fetch(`${this.sandbox.url}/_sandbox/state`)).json()) as State
  }

  /** Names of the events that were fired, in their order. */
  async fired(): Promise<string[]> {
    return (await this.state()).events.map(({ name }) => name).reverse()
  }

  /** How often a route was called. */
  async calls(route: string): Promise<number> {
    return (await this.state()).requests.find((traffic) => traffic.route === route)?.count ?? 0
  }

  /** Something goes wrong in the sandbox from now on. */
  async fault(fault: object): Promise<void> {
    await this.control('POST', 'faults', fault)
  }

  async control<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const response = await fetch(`${this.sandbox.url}/_sandbox/${path}`, {
      method,
      headers: body && { 'content-type': 'application/json' },
      body: body && JSON.stringify(body)
    })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return (response.status === 204 ? undefined : await response.json()) as Answer
  }

  /** What the queue says of the rig's key. */
  async partition(): Promise<PartitionStatus> {
    return (await this.queue.partitions.list({ apiKey: this.apiKey }))[0]
  }

  async dead(filter: DeadLetterFilter = {}): Promise<string[]> {
    return (await this.queue.deadLetters.list(filter)).map(({ reason, detail }) => `${reason}: ${detail}`).reverse()
  }
}

/** Lets other things happen for a moment. */
export function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5))
}

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE

export const BULK = 'POST /api/v1/contacts/bulk'
export const SEARCH = 'GET /api/v1/contacts'
export const FIRE = 'POST /api/v1/contacts/:id/events'
