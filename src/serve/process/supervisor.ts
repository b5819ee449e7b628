import type { IncomingMessage, ServerResponse } from 'node:http'
import { refuse } from './hand-on'
import type { Worker } from './worker-process'

/**
 * Keeps a worker answering while the definition changes, breaks or crashes. No request is lost by a restart: it waits for a
 * worker that is starting, and is answered 503 when there is none to wait for.
 */
export interface Supervisor {
  /** Lets the newest worker answer. */
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>
  /** Starts a worker with the definition as it is now; when it is ready it takes over from the one before. */
  restart(): Promise<Worker>
  /** Ends every worker. */
  close(): Promise<void>
}

/** A worker that nobody asked anything and that ends sooner than this is not started again before the definition changes. */
const CRASH_LOOP_MS = 1_000

export function supervise(start: (signal: AbortSignal) => Promise<Worker>, log: (line: string) => void): Supervisor {
  const life = new AbortController()
  const alive = new Set<Worker>()
  let current: Worker | undefined
  let starting: Promise<unknown> | undefined
  let asked = 0

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    asked++
    if (!current) await starting?.catch(() => undefined)
    if (current) return current.answer(request, response)
    refuse(response, 503, 'The definition does not run; see the output of serve. The next change starts it again.')
  }

  function restart(): Promise<Worker> {
    const next = (starting ?? Promise.resolve()).then(replace, replace)
    const done = () => {
      if (starting === next) starting = undefined
    }
    starting = next
    next.then(done, done)
    return next
  }

  async function replace(): Promise<Worker> {
    const next = await start(life.signal)
    const since = Date.now()
    const askedBefore = asked
    alive.add(next)
    void next.ended.then(() => {
      alive.delete(next)
      if (next === current && !life.signal.aborted)
        afterCrash(asked === askedBefore && Date.now() - since < CRASH_LOOP_MS)
    })
    current?.retire()
    current = next
    return next
  }

  function afterCrash(atOnce: boolean): void {
    current = undefined
    if (atOnce) return log('The definition ended its process at once; it is started again when it changes')
    log('The definition ended its process; it is started again')
    restart().catch((error: Error) => log(error.message))
  }

  async function close(): Promise<void> {
    life.abort()
    await Promise.allSettled([starting, ...[...alive].map(({ ended }) => ended)])
  }

  return { answer, restart, close }
}
