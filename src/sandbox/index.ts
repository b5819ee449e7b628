import type { AddressInfo } from 'node:net'
import { explainListening, originOf } from '../http/listening'
import { isLoopback } from '../http/loopback'
import { PROGRAM } from '../typescript'
import { defaultChoices, type Choices } from './assumptions'
import { openStore } from './db/schema'
import { seedWhenEmpty } from './db/seed'
import { Faults } from './faults/faults'
import { RequestLog } from './inspect/requests'
import { EventStream } from './inspect/stream'
import { RateLimiter } from './rate-limit'
import { createServer } from './server'
import type { Settings, Workspace } from './workspace'

export { switches } from './assumptions'
export { SANDBOX_KEY } from './resources/keys'

/** Each of {@link switches} is an option too. */
export interface SandboxOptions extends Partial<Choices> {
  /** Default 4010; 0 picks a free one. */
  port?: number
  /** Default 127.0.0.1. */
  host?: string
  /** SQLite file that keeps everything across restarts; absent: in memory. */
  data?: string
  /** Calls per key and minute; default 120. */
  rateLimit?: number
  /** The clock, in milliseconds; default `Date.now`. */
  now?: () => number
}

export interface Sandbox {
  /** Origin without a trailing slash. */
  url: string
  port: number
  /** Ends open connections and releases port and file. */
  close(): Promise<void>
}

const OTHER_PORT = `choose another with SANDBOX_PORT (--port of ${PROGRAM} sandbox, --sandbox-port of ${PROGRAM} dev)`

/**
 * Starts a stand-in for EmailSendX's REST API.
 * @throws Error with one line saying what to do, when the port or the data file cannot be used
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { port = 4010, host = '127.0.0.1', data, rateLimit = 120, now = Date.now, ...choices } = options
  const store = openStore(data)
  const initialSettings: Settings = { rateLimit, ...defaultChoices, ...choices }
  const settings = { ...initialSettings }
  const stream = new EventStream(now)
  const workspace: Workspace = {
    store,
    settings,
    initialSettings,
    limiter: new RateLimiter(settings, now),
    faults: new Faults(),
    requests: new RequestLog(stream),
    stream,
    now
  }
  const app = createServer(workspace, isLoopback(host))
  app.addHook('onClose', async () => {
    stream.close()
    store.close()
  })
  try {
    seedWhenEmpty(workspace)
    await app.listen({ port, host })
  } catch (error) {
    await app.close()
    throw explainListening(error, host, port, OTHER_PORT)
  }
  const bound = (app.server.address() as AddressInfo).port
  return { url: originOf(host, bound), port: bound, close: () => app.close() }
}
