import { z } from 'zod'
import { isLoopback } from '../http/loopback'
import { parseDuration, parseSize } from './units'

/*
 * The options of the bridge, stated once: `startBridge`, the command line, the environment variables, `--help` and the table in
 * docs/bridge.md are all made of this. Values may be texts as people write them (`7d`, `10GB`); code may give times in
 * milliseconds and sizes in bytes.
 */

/** What is said of an option besides its values. */
interface About {
  description: string
  /** What stands for the value in `--help`; absent: the option is a switch. */
  value?: string
  /** Given in the environment only, since everybody can see command lines. */
  isSecret?: true
}

const said = z.registry<About>()

const integer = (min: number, max: number) => {
  const message = `must be a whole number from ${min} to ${max}`
  return z.coerce.number<number | string>(message).pipe(z.int(message).min(min, message).max(max, message))
}

/** A number, or a text that says one. */
const amount = (parse: (text: string) => number | undefined, message: string, number: z.ZodNumber) =>
  z.union([z.number(), z.string().transform((text) => parse(text) ?? NaN)], message).pipe(number)

const DURATION = 'must be a duration such as 90s, 30m, 1h or 7d'
const SIZE = 'must be a size such as 500MB or 10GB'
const duration = () => amount(parseDuration, DURATION, z.number(DURATION).positive('must be more than 0'))
const size = (max = Number.MAX_SAFE_INTEGER) =>
  amount(parseSize, SIZE, z.number(SIZE).positive('must be more than 0').max(max, `must be at most ${max} bytes`))
const choice = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z.enum(words, `must be one of ${words.join(', ')}`)

const listOfNames = z
  .union([z.array(z.string()), z.string().transform((text) => text.split(','))])
  .transform((names) => names.map((name) => name.trim().toLowerCase()).filter(Boolean))

const shape = {
  port: integer(0, 65_535).prefault(8080).register(said, { value: 'number', description: '0 picks a free one' }),
  host: z
    .string()
    .min(1, 'must be an address')
    .prefault('127.0.0.1')
    .register(said, { value: 'address', description: 'address to listen on' }),
  allowHost: listOfNames.prefault('').register(said, {
    value: 'names',
    description:
      'names, with commas, that a proxy on this machine passes on as `Host`; on a loopback address others get 403'
  }),
  trustProxy: z.union([z.boolean(), z.stringbool()], 'must be true or false').prefault(false).register(said, {
    description:
      "a proxy is in front: the last address in its `X-Forwarded-For` is the sender's, by which strangers are limited"
  }),
  store: z
    .string()
    .min(1, 'must be a file or a postgres:// address')
    .prefault('emailsendx-bridge.db')
    .register(said, { value: 'target', description: 'SQLite file, or `postgres://user:password@host/database`' }),
  secret: z.string().optional().register(said, {
    isSecret: true,
    description:
      'encrypts the API keys in the store; at least 16 characters. Postgres needs it; a SQLite file makes its own in `<file>.secret`'
  }),
  apiUrl: z
    .string()
    .refine(isSafe, 'must be an https:// address, or an http:// one of this machine')
    .prefault('https://emailsendx.com')
    .register(said, { value: 'url', description: 'another EmailSendX: https, or http on this machine' }),
  sharedSecret: z.string().min(1, 'is empty: leave it out, or give the one set in Segment').optional().register(said, {
    value: 'text',
    description: "Segment's webhooks must be signed with it. Better in the environment than where `ps` shows it"
  }),
  maxBytes: size().prefault('10GB').register(said, {
    value: 'size',
    description: 'bytes of all waiting events and dead letters; over it, 503'
  }),
  maxPartitionBytes: size().prefault('2GB').register(said, {
    value: 'size',
    description: 'bytes of the waiting events of one key; over it, 429 for this key'
  }),
  maxEventBytes: size(1e6).prefault('32KB').register(said, {
    value: 'size',
    description:
      "bytes of one event, with what its batch says for all; a larger one becomes a dead letter. 32 KB is Segment's own limit, 1MB the most"
  }),
  maxAge: duration().prefault('7d').register(said, {
    value: 'duration',
    description:
      'how long the oldest event of a key may be stuck; over it, 429 for this key. Events of a refused key become dead letters then'
  }),
  dedupe: duration().prefault('30d').register(said, {
    value: 'duration',
    description: 'how long messageIds are remembered at least; RudderStack sends again for 30 days'
  }),
  keepDeadLetters: duration()
    .prefault('90d')
    .register(said, { value: 'duration', description: 'how long dead letters are kept' }),
  forgetAfter: duration().prefault('400d').register(said, {
    value: 'duration',
    description: 'how long addresses and contacts are remembered of users of whom nothing comes any more'
  }),
  wait: duration()
    .prefault('1h')
    .register(said, { value: 'duration', description: 'how long an event waits for its address or its contact' }),
  skipUnmatched: duration().optional().register(said, {
    value: 'duration',
    description:
      'an event name that no automation waited for is fired at most once in that time; the others are counted as skipped. Off without it'
  }),
  onUnknownOutcome: choice(['resend', 'dead-letter']).prefault('resend').register(said, {
    value: 'what',
    description: '`dead-letter`: keep instead what may have been fired already, see [Promises](#promises)'
  }),
  adminToken: z.string().min(16, 'must have at least 16 characters').optional().register(said, {
    isSecret: true,
    description: 'serve the [admin API](#admin-api) to those who send it; at least 16 characters'
  }),
  alertUrl: z
    .string()
    .refine(isSafe, 'must be an https:// address, or an http:// one of this machine')
    .optional()
    .register(said, {
      value: 'url',
      description: '[alerts](#alerts) are posted to it, when they begin and when they are over'
    }),
  alertOldest: duration().prefault('1h').register(said, {
    value: 'duration',
    description: 'the age of the oldest waiting event from which on there is an alert'
  }),
  logLevel: choice(['trace', 'debug', 'info', 'warn', 'error', 'silent']).prefault('info').register(said, {
    value: 'level',
    description: 'what is logged: `trace`, `debug`, `info`, `warn`, `error`, `silent`'
  })
}

const schema = z.strictObject(shape)

/** What `startBridge` is told. */
export type BridgeOptions = z.input<typeof schema>
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

/** An option as the command line and the docs have it. */
export interface DescribedOption extends About {
  name: keyof BridgeOptions
  /** `--max-age`; absent for secrets. */
  flag?: string
  /** `BRIDGE_MAX_AGE` */
  variable: string
  /** As people write it; absent: none, or off. */
  standard?: string
  /** What is wrong with a value, if anything. */
  problem: (value: string) => string | undefined
}

export const describedOptions: DescribedOption[] = Object.entries(shape).map(([name, field]) => {
  const about = said.get(field) as About
  const { defaultValue } = field.def as { defaultValue?: string | number | boolean }
  return {
    ...about,
    name: name as keyof BridgeOptions,
    flag: about.isSecret ? undefined : `--${name.replace(/[A-Z]/g, '-$&').toLowerCase()}`,
    variable: `BRIDGE_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`,
    standard: defaultValue ? String(defaultValue) : undefined,
    problem: (value) => field.safeParse(value).error?.issues[0].message
  }
})

/** An API key must not travel in the clear. */
function isSafe(address: string): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, hostname } = new URL(address)
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
}
