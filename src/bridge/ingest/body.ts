import { Readable } from 'stream'
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'zlib'
import { Refusal } from './answers'

/** Segment's own cap for a batch is 4 MB before its wrapping and 413 is final for both senders, so four times that. */
export const LARGEST_BODY = 16 * 1024 * 1024

export const TOO_LARGE = new Refusal(413, 'the body is over 16 MB: send smaller batches')
const TOO_MUCH = new Refusal(503, 'too many large requests at once, try again', 1)
const BROKEN = new Refusal(400, 'the body breaks off or is not what its content-encoding says')

/** How many bytes of request bodies are in memory at once, over all requests; more are refused until some are done. */
export class Memory {
  private used = 0

  constructor(private readonly limit: number) {}

  /** False when there is no room for so many. */
  take(bytes: number): boolean {
    if (this.used + bytes > this.limit) return false
    this.used += bytes
    return true
  }

  give(bytes: number): void {
    this.used -= bytes
  }

  get bytes(): number {
    return this.used
  }
}

/** A request's body, inflated. `release` gives its memory back. */
export interface Body {
  text: string
  release(): void
}

/**
 * Reads a body, plain, gzip, deflate or br, up to 16 MB inflated; what is beyond is never held in memory.
 * @throws Refusal 413 when larger, 503 when the bridge has no memory for it now, 400 when it cannot be inflated or breaks off.
 */
export async function readBody(request: Readable, encoding: string | undefined, memory: Memory): Promise<Body> {
  const raw = await collect(request, memory)
  const inflater = inflaterFor(raw, encoding?.trim().toLowerCase())
  if (inflater === undefined) return { text: raw.toString(), release: () => memory.give(raw.length) }
  try {
    const inflated = await collect(Readable.from([raw]).pipe(inflater), memory)
    return { text: inflated.toString(), release: () => memory.give(inflated.length) }
  } finally {
    inflater.destroy()
    memory.give(raw.length)
  }
}

/** Gzip shows itself in its first bytes, which no text has; proxies add and drop the header. */
function inflaterFor(raw: Buffer, encoding: string | undefined) {
  if (raw[0] === 0x1f && raw[1] === 0x8b) return createGunzip()
  if (raw.length === 0) return undefined
  if (encoding === 'br') return createBrotliDecompress()
  if (encoding !== 'deflate') return undefined
  // Some senders leave the zlib header out (RFC 9110, 8.4.1.2); its first byte always ends in 8.
  return (raw[0] & 0x0f) === 8 ? createInflate() : createInflateRaw()
}

function collect(stream: Readable, memory: Memory): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const onData = (chunk: Buffer) => {
      if (size + chunk.length > LARGEST_BODY) return fail(TOO_LARGE)
      if (!memory.take(chunk.length)) return fail(TOO_MUCH)
      size += chunk.length
      chunks.push(chunk)
    }
    const fail = (reason: Refusal) => {
      // Without this listener the rest still flows, unseen, so that the sender gets to read the answer.
      stream.off('data', onData)
      memory.give(size)
      size = 0
      reject(reason)
    }
    stream.on('data', onData)
    stream.once('end', () => resolve(Buffer.concat(chunks)))
    stream.once('error', () => fail(BROKEN))
  })
}
