import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import path from 'node:path'
import type { BridgeOptions } from '../../..'
import { startSandbox } from '../../../../sandbox'
import type { Sandbox } from '../../../../sandbox'
import { openQueue } from '../../../queue'
import { SECRET } from '../../../queue/__tests__/__helpers__/stores'
import { execArgv } from '../../../../typescript'

export interface OracleOptions {
  store: string
  /** Bridges at work on the store at the same time. More than one needs Postgres. */
  processes?: number
  partitions?: number
  usersPerPartition?: number
  onUnknownOutcome?: BridgeOptions['onUnknownOutcome']
}

/** What was found when everything had come to rest. */
export interface Findings {
  kills: number
  acknowledged: number
  /** Acknowledged, and neither delivered nor a dead letter: must be none. */
  lost: string[]
  /** Fired more than once: at most one for each partition and kill, none when unknown outcomes are kept. */
  doubled: string[]
  /** Fired before an earlier event of the same user: must be none. */
  disordered: string[]
  deadLetters: number
}

interface User {
  partition: number
  email: string
  /** Acknowledged numbers of events, in their order. */
  sent: number[]
}

/** Events sent to a user's contact at most, so that the sandbox still shows them all. */
const MOST_EVENTS = 80

/**
 * An observer outside of the bridges: sends them events over HTTP as a sender would (again and again until acknowledged),
 * kills them with SIGKILL, starts them again, and at last compares what was acknowledged with what has arrived at EmailSendX.
 */
export class Oracle {
  private readonly bridges: (ChildProcess | undefined)[] = []
  private readonly urls: string[] = []
  private readonly users: User[] = []
  private keys: string[] = []
  private kills = 0
  private acknowledged = 0
  private readonly acknowledgements = new EventEmitter()
  private isSending = true
  private senders: Promise<void>[] = []

  private constructor(private readonly sandbox: Sandbox, private readonly options: OracleOptions) {}

  static async start(options: OracleOptions): Promise<Oracle> {
    const oracle = new Oracle(await startSandbox({ port: 0, rateLimit: 100_000 }), options)
    await oracle.prepare()
    return oracle
  }

  /** Waits until so many more events are acknowledged, and no longer. */
  async acknowledges(more: number): Promise<void> {
    const enough = this.acknowledged + more
    while (this.acknowledged < enough) await once(this.acknowledgements, 'one')
  }

  /** Kills one of the bridges, whatever it is doing, and starts another one in its place. */
  async kill(): Promise<void> {
    const index = Math.floor(Math.random() * this.bridges.length)
    await this.end(index, 'SIGKILL')
    this.kills++
    await this.launch(index)
  }

  /** Ends the sending, lets the bridges finish, and looks at what has become of everything. */
  async findings(): Promise<Findings> {
    this.isSending = false
    await Promise.all(this.senders)
    await this.drained()
    await Promise.all(this.bridges.map((_, index) => this.end(index, 'SIGTERM')))

    const queue = await openQueue(this.options.store, { secret: SECRET })
    const dead = new Set((await queue.deadLetters.list({}, { limit: 100_000 })).map(({ messageId }) => messageId))
    await queue.close()
    const findings: Findings = {
      kills: this.kills,
      acknowledged: this.acknowledged,
      lost: [],
      doubled: [],
      disordered: [],
      deadLetters: dead.size
    }
    for (const user of this.users) {
      const arrived = await this.arrivedFor(user)
      const seen = new Set<number>()
      for (const number of arrived.fired) {
        if (seen.has(number)) findings.doubled.push(idOf(user, number))
        else if ([...seen].some((earlier) => earlier > number)) findings.disordered.push(idOf(user, number))
        seen.add(number)
      }
      for (const number of user.sent) {
        const isThere = seen.has(number) || arrived.identified.has(number) || dead.has(idOf(user, number))
        if (!isThere) findings.lost.push(idOf(user, number))
      }
    }
    return findings
  }

  async close(): Promise<void> {
    this.isSending = false
    await Promise.all(this.bridges.map((_, index) => this.end(index, 'SIGKILL')))
    await Promise.all(this.senders)
    await this.sandbox.close()
  }

  private async prepare(): Promise<void> {
    const { processes = 1, partitions = 3, usersPerPartition = 4 } = this.options
    for (let partition = 0; partition < partitions; partition++) {
      const { key } = await this.ask<{ key: string }>('keys', { name: `partition ${partition}` })
      this.keys.push(key)
      for (let user = 0; user < usersPerPartition; user++) {
        this.users.push({ partition, email: `user${user}@partition${partition}.example`, sent: [] })
      }
    }
    for (let index = 0; index < processes; index++) await this.launch(index)
    this.senders = this.users.map((user) => this.sendFor(user))
  }

  private async launch(index: number): Promise<void> {
    const { store, onUnknownOutcome } = this.options
    const options: BridgeOptions = {
      port: 0,
      store,
      secret: SECRET,
      apiUrl: this.sandbox.url,
      onUnknownOutcome,
      logLevel: 'silent'
    }
    const bridge = fork(path.join(__dirname, 'child.ts'), [JSON.stringify(options)], { execArgv })
    this.bridges[index] = bridge
    const [{ url }] = (await once(bridge, 'message')) as [{ url: string }]
    this.urls[index] = url
  }

  private async end(index: number, signal: NodeJS.Signals): Promise<void> {
    const bridge = this.bridges[index]
    this.bridges[index] = undefined
    if (!bridge || bridge.exitCode !== null || bridge.signalCode !== null) return
    const exit = once(bridge, 'exit')
    bridge.kill(signal)
    await exit
  }

  /** Sends a user's events one after the other, each until it is acknowledged: first an identify, later mostly tracks. */
  private async sendFor(user: User): Promise<void> {
    for (let number = 0; number < MOST_EVENTS && this.isSending; number++) {
      const isIdentify = number % 10 === 0
      const event = {
        messageId: idOf(user, number),
        type: isIdentify ? 'identify' : 'track',
        userId: `id of ${user.email}`,
        timestamp: new Date().toISOString(),
        ...(isIdentify
          ? { traits: { email: user.email, [`step_${number}`]: true } }
          : { event: 'stepped', properties: { number } })
      }
      while (!(await this.isAcknowledged(user, event))) {
        if (!this.isSending) return
        await pause(100)
      }
      user.sent.push(number)
      this.acknowledged++
      this.acknowledgements.emit('one')
      await pause(Math.random() * 200)
    }
  }

  private async isAcknowledged(user: User, event: object): Promise<boolean> {
    const url = this.urls[Math.floor(Math.random() * this.urls.length)]
    try {
      const response = await fetch(`${url}/api/segment/track`, {
        method: 'POST',
        headers: { authorization: `Bearer ${this.keys[user.partition]}`, 'content-type': 'application/json' },
        body: JSON.stringify(event)
      })
      return response.status === 200
    } catch {
      return false
    }
  }

  private async drained(): Promise<void> {
    for (;;) {
      const metrics = await (await fetch(`${this.urls[0]}/metrics`)).text()
      if (/^bridge_store_events 0$/m.test(metrics)) return
      await pause(200)
    }
  }

  /** The sandbox shows 100 events of a contact, the newest first. */
  private async arrivedFor(user: User): Promise<{ fired: number[]; identified: Set<number> }> {
    const response = await fetch(`${this.sandbox.url}/_sandbox/state?email=${encodeURIComponent(user.email)}`)
    if (response.status === 404) return { fired: [], identified: new Set() }
    const { contact, events } = (await response.json()) as {
      contact: { metadata: Record<string, unknown> }
      events: { data: { number: number } }[]
    }
    const steps = Object.keys(contact.metadata).map((name) => Number(name.replace('step_', '')))
    return { fired: events.map(({ data }) => data.number).reverse(), identified: new Set(steps) }
  }

  private async ask<Answer>(what: string, body: object): Promise<Answer> {
    const response = await fetch(`${this.sandbox.url}/_sandbox/${what}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })
    return (await response.json()) as Answer
  }
}

function idOf({ email }: User, number: number): string {
  return `${email} ${number}`
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
