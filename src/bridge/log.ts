import type { Logger } from 'pino'
import pino from 'pino'

/**
 * The bridge's log: JSON lines. Lines are written from counts, statuses and partition names; should an object with
 * more in it ever slip in, its keys, addresses and contents are cut out.
 */
export function createLog(level: string, stream: { write(line: string): void } = process.stdout): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[redacted]' },
    serializers: { err: (error: Error) => ({ type: error.name, message: error.message, stack: error.stack }) }
  }
  return pino(options, stream)
}

const SECRETS = [
  'apiKey',
  'key',
  'writeKey',
  'sharedSecret',
  'headers',
  'body',
  'event',
  'item',
  'traits',
  'properties',
  'context',
  'email',
  'userId',
  'anonymousId'
]

/** Refused requests that are logged within a second; of more only the number is. */
const MAX_REFUSALS = 10

/** Logs refused requests, without letting those who are refused fill the disk. */
export function logRefusals(
  log: Pick<Logger, 'warn'>
): (refusal: { source?: string; status: number; why: string }) => void {
  let second = 0
  let count = 0
  return (refusal) => {
    const now = Math.floor(performance.now() / 1000)
    if (now !== second) {
      if (count > MAX_REFUSALS) log.warn({ refused: count - MAX_REFUSALS }, 'refused more requests')
      second = now
      count = 0
    }
    if (++count <= MAX_REFUSALS) log.warn(refusal, 'refused a request')
  }
}
