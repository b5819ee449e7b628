import { Worker } from 'node:worker_threads'
import { execArgv } from '../../../typescript'
import { QueueUnavailable, QueueUnusable, WriteRefused } from '../errors'
import type { TransactionName } from '../transactions'
import type { Driver } from './driver'
import type { Call, Reply } from './sqlite-thread'

/**
 * A SQLite file, or `:memory:`. All work is done in a thread of its own, so that a slow disk never holds up a request.
 * @param maxPages pages (of 4 KiB) the file may have; more is refused like a full disk
 * @throws QueueUnusable
 */
export async function openSqlite(file: string, maxPages?: number): Promise<Driver> {
  const driver = new SqliteDriver()
  await driver.open(file, maxPages).catch(async (error: Error) => {
    await driver.end()
    throw new QueueUnusable(`The store ${file} can't be opened: ${inWords(error.message)}.`, { cause: error })
  })
  return driver
}

class SqliteDriver implements Driver {
  private readonly thread = new Worker(require.resolve('./sqlite-thread'), { execArgv })
  private readonly waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>()
  private calls = 0
  private closed?: Promise<void>
  private broken?: Error

  constructor() {
    this.thread.on('message', (reply: Reply) => this.settle(reply))
    this.thread.on('error', (error) => this.fail(error))
    this.thread.on('exit', () => this.fail(new Error('it is closed')))
  }

  async open(file: string, maxPages?: number): Promise<void> {
    await this.call((id) => ({ id, do: 'open', file, maxPages }))
  }

  async run(name: TransactionName, now: number, args: unknown[]): Promise<unknown> {
    return this.use((id) => ({ id, do: 'run', name, now, args }))
  }

  async scrub(): Promise<void> {
    await this.use((id) => ({ id, do: 'scrub' }))
  }

  private async use(ask: (id: number) => Call): Promise<unknown> {
    if (this.closed) throw new QueueUnavailable('The store is closed.')
    try {
      return await this.call(ask)
    } catch (error) {
      const Unavailable = this.broken || isLocked(error) ? QueueUnavailable : WriteRefused
      throw new Unavailable(`The store can't be used: ${inWords((error as Error).message)}.`, { cause: error })
    }
  }

  async close(): Promise<void> {
    // A file that fails even now has nothing more to lose: what was acknowledged is in it.
    this.closed ??= this.call((id) => ({ id, do: 'close' })).then(
      () => this.end(),
      () => this.end()
    )
    return this.closed
  }

  async end(): Promise<void> {
    await this.thread.terminate()
  }

  private call(ask: (id: number) => Call): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.broken) return reject(this.broken)
      const id = ++this.calls
      this.waiting.set(id, { resolve, reject })
      this.thread.postMessage(ask(id))
    })
  }

  private settle(reply: Reply): void {
    const waiting = this.waiting.get(reply.id)
    this.waiting.delete(reply.id)
    if ('error' in reply) waiting?.reject(new Error(reply.error))
    else waiting?.resolve(reply.result)
  }

  /** The thread is gone, and with it the answers to what was asked. */
  private fail(error: Error): void {
    this.broken ??= error
    for (const { reject } of this.waiting.values()) reject(this.broken)
    this.waiting.clear()
  }
}

function isLocked(error: unknown): boolean {
  return /database is locked/.test((error as Error).message)
}

function inWords(message: string): string {
  if (/disk is full/.test(message)) return 'the disk is full'
  if (/readonly database/.test(message)) return 'the file is read-only'
  if (/malformed|not a database/.test(message)) return 'the file is damaged, or is no SQLite database'
  if (/database is locked/.test(message)) return 'another program keeps it locked'
  return message
}
