import type { AddressInfo } from 'node:net'
import once from 'lodash/once'
import { explainListening, originOf } from '../http/listening'
import { isLoopback } from '../http/loopback'
import { watchForAlerts } from './alerts'
import { buildApp } from './app'
import { CallsLeft, startDelivery } from './delivery'
import { Memory } from './ingest/memory'
import { createLog } from './log'
import { createMetrics } from './metrics'
import type { BridgeOptions } from './options'
import { checkOptions } from './options'
import { openQueue } from './queue'

export type { BridgeOptions } from './options'

/** A running bridge. */
export interface Bridge {
  /** Origin without a trailing slash. */
  url: string
  port: number
  /** Takes nothing more in, finishes what is in flight, and lets go of port and store; within ten seconds. */
  close(): Promise<void>
}

/** How long what is in flight, in and out, has to end by itself when the bridge stops. */
const GRACE_MS = 7_000

/**
 * Starts ingest and delivery over one store.
 * @param stream takes the lines of the log, which are JSON; default: stdout
 * @throws Error with one line saying what to do, when an option is wrong or port or store cannot be used
 */
export async function startBridge(
  options: BridgeOptions = {},
  stream?: { write(line: string): void }
): Promise<Bridge> {
  // Beside a bridge of one's own, EmailSendX may be on localhost (see definitions/emailsendx/connection.ts).
  process.env.EMAILSENDX_ALLOW_HTTP = '1'
  const { port, host, apiUrl, ...checked } = checkOptions(options)
  const log = createLog(checked.logLevel, stream)
  const queue = await openQueue(checked.store, {
    secret: checked.secret,
    maxBytes: checked.maxBytes,
    maxPartitionBytes: checked.maxPartitionBytes,
    maxAgeMs: checked.maxAge,
    dedupeMs: checked.dedupe,
    deadLetterMs: checked.keepDeadLetters,
    forgetAfterMs: checked.forgetAfter
  })
  const memory = new Memory()
  const metrics = createMetrics(queue, memory)
  const callsLeft = new CallsLeft()
  let stopping = false
  const app = buildApp({
    queue,
    memory,
    metrics,
    log,
    adminToken: checked.adminToken,
    sharedSecret: checked.sharedSecret,
    maxEventBytes: checked.maxEventBytes,
    trustProxy: checked.trustProxy,
    hosts: isLoopback(host) ? new Set(checked.allowHost) : undefined,
    callsLeft,
    isStopping: () => stopping
  })
  try {
    await app.listen({ port, host })
  } catch (error) {
    await app.close()
    await queue.close()
    throw explainListening(error, host, port, 'choose another with --port or BRIDGE_PORT')
  }
  const delivery = startDelivery({
    queue,
    callsLeft,
    apiUrl,
    log,
    waitMs: checked.wait,
    skipUnmatchedMs: checked.skipUnmatched,
    onUnknownOutcome: checked.onUnknownOutcome,
    registry: metrics.registry,
    graceMs: GRACE_MS
  })

  const { alertUrl, alertOldest: oldestMs } = checked
  const endAlerts = alertUrl === undefined ? undefined : watchForAlerts({ queue, url: alertUrl, oldestMs, log })

  const close = once(async () => {
    stopping = true
    log.info('the bridge is stopping: nothing more is taken in, and what is in flight is finished')
    const timeout = setTimeout(() => app.server.closeAllConnections(), GRACE_MS)
    await Promise.all([app.close(), delivery.stop(), endAlerts?.()])
    clearTimeout(timeout)
    await queue.close()
    log.info('the bridge has stopped')
  })
  const { port: bound } = app.server.address() as AddressInfo
  const url = originOf(host, bound)
  log.info({ url, apiUrl }, 'the bridge listens')
  return { url, port: bound, close }
}
