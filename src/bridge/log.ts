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
