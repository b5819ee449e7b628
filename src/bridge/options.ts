import { z } from 'zod'
import { isLoopback } from '../http/loopback'

/** What `startBridge` is told. Times in ms, sizes in bytes. */
export interface BridgeOptions {
  /** Default 8080; 0 picks a free one. */
  port?: number
  /** Address to listen on; default 127.0.0.1. */
  host?: string
  /** Host names that requests may be for besides those of this machine, while listening on loopback (behind a proxy). */
  allowHosts?: string[]
  /** Path of a SQLite file (default `emailsendx-bridge.db`), `postgres://…`, or `:memory:` for what may be lost. */
  store?: string
  /** Encrypts the API keys at rest. Postgres needs one; a SQLite file makes its own in `<file>.secret`. */
  secret?: string
  /** EmailSendX; default https://emailsendx.com. https, or http on loopback. */
  apiUrl?: string
  /** Segment's webhook door then takes only requests signed with it. */
  sharedSecret?: string
  /** Whether to serve `/_bridge/*`, for the tester page on this machine; default false. */
  control?: boolean
  /** Bytes of all events and dead letters; over it all doors answer 503. Default 10 GiB. */
  maxBytes?: number
  /** Bytes of the undelivered events of one API key; over it, it gets 429. Default 2 GiB. */
  maxPartitionBytes?: number
  /** How long the oldest event of an API key may be stuck; over it, it gets 429. Default 7 days. */
  maxAgeMs?: number
  /** How long messageIds are remembered. Default 30 days. */
  dedupeMs?: number
  /** How long dead letters are kept. Default 90 days. */
  deadLetterMs?: number
  /** How long an event waits for its user's email or contact. Default 1 hour. */
  waitMs?: number
  /** An event that may or may not have been fired when the bridge was cut off: send it again (default), or keep it as a dead letter. */
  onUnknownOutcome?: 'resend' | 'dead-letter'
  /** Default `info`. */
  logLevel?: LogLevel
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

const positive = z.number('must be a number').positive('must be more than 0').optional()

const schema = z.strictObject({
  port: z.int('must be a whole number').min(0, 'must be 0 to 65535').max(65_535, 'must be 0 to 65535').default(8080),
  host: z.string().min(1, 'must be an address').default('127.0.0.1'),
  allowHosts: z.array(z.string()).default([]),
  store: z.string().min(1, 'must be a file or a postgres:// address').default('emailsendx-bridge.db'),
  secret: z.string().optional(),
  apiUrl: z
    .string()
    .refine(isSafe, 'must be an https:// address, or an http:// one of this machine')
    .default('https://emailsendx.com'),
  sharedSecret: z.string().min(1, 'is empty: leave it out, or give the one set in Segment').optional(),
  control: z.boolean().default(false),
  maxBytes: positive,
  maxPartitionBytes: positive,
  maxAgeMs: positive,
  dedupeMs: positive,
  deadLetterMs: positive,
  waitMs: positive,
  onUnknownOutcome: z.enum(['resend', 'dead-letter'], 'must be resend or dead-letter').default('resend'),
  logLevel: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`).default('info')
})

export type CheckedOptions = z.output<typeof schema>

/** The options with their defaults. @throws Error with one line that names the option and what is wrong */
export function checkOptions(options: BridgeOptions): CheckedOptions {
  const result = schema.safeParse(options)
  if (result.success) return result.data
  const [{ path, message }] = result.error.issues
  throw new Error(
    path.length > 0 ? `the bridge's option ${path.join('.')} ${message}` : `the bridge's options: ${message}`
  )
}

/** An API key must not travel in the clear. */
function isSafe(address: string): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, hostname } = new URL(address)
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
}
