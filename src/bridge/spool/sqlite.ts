import { existsSync } from 'node:fs'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Engine } from './engine'
import { SpoolUnavailable, SpoolUnusable } from './spool'
import type { Call, Reply } from './sqlite-thread'

export interface SqliteOptions {
  /** Pages (of 4 KiB) the file may have; more is refused like a full disk. */
  maxPages?: number
}

/**
 * A SQLite file, or `:memory:`. All work is done in a thread of its own, so that a slow disk never holds up the doors.
 * @throws SpoolUnusable
 */
export async function openSqlite(file: string, { maxPages }: SqliteOptions = {}): Promise<Engine> {
  if (file !== ':memory:' && !existsSync(path.dirname(path.resolve(file)))) {
    throw new SpoolUnusable(`The folder of the store ${file} does not exist. Create it, or name another place.`)
  }
  const thread = new Worker(path.join(__dirname, 'sqlite-thread.ts'), {
    workerData: { file, maxPages },
    execArgv: ['--require', require.resolve('tsx/cjs')]
  })
  const engine = new SqliteEngine(thread)
  await engine.isOpen.catch((error: Error) => {
    throw new SpoolUnusable(`The store ${file} can't be opened: ${inWords(error.message)}.`, { cause: error })
  })
  return engine
}

class SqliteEngine implements Engine {
  readonly isOpen: Promise<void>
  private readonly waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>()
  private calls = 0
  private closed?: Promise<void>
  private broken?: Error

  constructor(private readonly thread: Worker) {
    thread.on('message', (reply: Reply) => this.settle(reply))
    thread.on('error', (error) => this.fail(error))
    thread.on('exit', () => this.fail(new Error('it is closed')))
    this.isOpen = this.call('bytesKept', []).then(
      () => undefined,
      (error: Error) => {
        // A new file has no tables yet. Anything else is a file that can't be used.
        if (!/no such table/.test(error.message)) throw error
      }
    )
  }

  async run(name: Call['name'], ...args: unknown[]): Promise<never> {
    if (this.closed) throw new SpoolUnavailable('The store is closed.')
    return (await this.call(name, args)) as never
  }

  async close(): Promise<void> {
    this.closed ??= this.call(undefined, []).then(() => undefined)
    return this.closed
  }

  private call(name: Call['name'], args: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.broken) return reject(this.broken)
      const id = ++this.calls
      this.waiting.set(id, { resolve, reject })
      this.thread.postMessage({ id, name, args } satisfies Call)
    })
  }

  private settle(reply: Reply): void {
    const waiting = this.waiting.get(reply.id)
    this.waiting.delete(reply.id)
    if ('error' in reply) waiting?.reject(unavailable(reply.error.message))
    else waiting?.resolve(reply.result)
  }

  /** The thread is gone, and with it the answers to what was asked. */
  private fail(error: Error): void {
    this.broken ??= unavailable(error.message)
    for (const { reject } of this.waiting.values()) reject(this.broken)
    this.waiting.clear()
  }
}

function unavailable(message: string): SpoolUnavailable {
  return new SpoolUnavailable(`The store can't be used: ${inWords(message)}.`)
}

function inWords(message: string): string {
  if (/disk is full/.test(message)) return 'the disk is full'
  if (/readonly database/.test(message)) return 'the file is read-only'
  if (/malformed|not a database/.test(message)) return 'the file is damaged, or is no SQLite database'
  if (/database is locked/.test(message)) return 'another program keeps it locked'
  return message
}
