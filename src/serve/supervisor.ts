import http from 'node:http'
import type { Socket } from 'node:net'
import type { Worker } from './worker-process'

/**
 * Keeps a worker answering while the definition changes, breaks or crashes. A connection is never refused: it waits for
 * a worker that is starting, and is answered 503 when there is none to wait for.
 */
export interface Supervisor {
  /** Lets the newest worker answer. The socket must be paused. */
  take(socket: Socket): void
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
  const waiting: Socket[] = []
  let current: Worker | undefined
  let starting: Promise<unknown> | undefined
  let taken = 0

  function take(socket: Socket): void {
    taken++
    if (current) current.take(socket)
    else if (starting) waiting.push(socket)
    else apologize(socket)
  }

  function restart(): Promise<Worker> {
    const turn = (starting ?? Promise.resolve()).then(replace, replace)
    const done = () => {
      if (starting === turn) starting = undefined
      waiting.splice(0).forEach(take)
    }
    starting = turn
    turn.then(done, done)
    return turn
  }

  async function replace(): Promise<Worker> {
    const next = await start(life.signal)
    const since = Date.now()
    const takenBefore = taken
    alive.add(next)
    void next.ended.then(() => {
      alive.delete(next)
      if (next === current && !life.signal.aborted)
        afterCrash(taken === takenBefore && Date.now() - since < CRASH_LOOP_MS)
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
    waiting.splice(0).forEach((socket) => socket.destroy())
    await Promise.allSettled([starting, ...[...alive].map(({ ended }) => ended)])
  }

  return { take, restart, close }
}

const apology = http.createServer((_request, response) =>
  response
    .writeHead(503, { 'content-type': 'text/plain', connection: 'close' })
    .end('The definition does not run; see the output of serve. The next change starts it again.\n')
)

function apologize(socket: Socket): void {
  apology.emit('connection', socket)
  socket.resume()
}
