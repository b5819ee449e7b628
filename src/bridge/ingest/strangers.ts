import { isIP } from 'node:net'
import { LRUCache } from 'lru-cache'
import { HttpError } from '../../http/errors'

/** Requests with keys that EmailSendX has not accepted yet that one address may make at once, and then each second. */
const MAX_AT_ONCE = 50
const MAX_PER_SECOND = 5
/** Addresses remembered: some 2 MB. Those not heard of for longest are forgotten first, as if they had never come. */
const MAX_ADDRESSES = 10_000

interface Bucket {
  left: number
  /** By performance.now(). */
  countedAt: number
}

/**
 * The rate at which strangers may come from one address, so that nobody takes all the places that the store has for keys
 * EmailSendX is yet to be asked about.
 */
export class StrangerRate {
  private readonly buckets = new LRUCache<string, Bucket>({ max: MAX_ADDRESSES })

  constructor(private readonly now = () => performance.now()) {}

  get addresses(): number {
    return this.buckets.size
  }

  /** Counts one request of an address. @throws HttpError 429 when that is one too many */
  count(address: string): void {
    const now = this.now()
    const { left, countedAt } = this.buckets.get(address) ?? { left: MAX_AT_ONCE, countedAt: now }
    const earned = ((now - countedAt) / 1000) * MAX_PER_SECOND
    const bucket = { left: Math.min(MAX_AT_ONCE, left + earned), countedAt: now }
    this.buckets.set(address, bucket)
    if (bucket.left < 1) throw tooMany()
    bucket.left--
  }
}

const tooMany = () =>
  new HttpError(429, 'too many requests with API keys that EmailSendX has not accepted yet: try again', {
    'retry-after': '2'
  })

/**
 * Whom a sender is counted as. Whoever has one IPv6 address has a whole /64; what is no address, as some proxies write
 * (with a port, which changes), is all one.
 */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  const version = isIP(plain)
  if (version !== 6) return version === 4 ? plain : 'unknown'
  const [head, tail] = plain
    .toLowerCase()
    .split('%')[0]
    .split('::')
    .map((part) => part.split(':').filter(Boolean))
  // A dotted end counts for two groups, but is never among the first four.
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - head.length - tail.length)
  const groups = [...head, ...new Array<string>(zeros).fill('0'), ...(tail ?? [])]
  return groups
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':')
}
