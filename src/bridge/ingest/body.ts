import { Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib'
import { HttpError } from '../../http/errors'
import type { MemoryShare } from './memory'

/** Segment's own cap for a batch is 4 MB before its wrapping and 413 is final for both senders, so four times that. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024

/** A body that is not all there must bring this many bytes in each interval: 8 KB a second, a modem's pace. */
const MIN_PACE_BYTES = 16 * 1024
const PACE_INTERVAL_MS = 2_000

export const tooLarge = () => new HttpError(413, 'the body is over 16 MB: send smaller batches')
/** There is no room for a body now. */
export class NoMemory extends HttpError {
  constructor() {
    super(503, 'too much at once: try again; of a key that is not accepted yet 2 MB are taken', { 'retry-after': '1' })
  }
}
const tooSlow = () =>
  new HttpError(503, 'the body comes too slowly, try again', { 'retry-after': '1', connection: 'close' })
const broken = () => new HttpError(400, 'the body breaks off or is not what its content-encoding says')

/**
 * Reads a body, plain, gzip, deflate or br, up to 16 MB inflated; what is beyond is never held in memory.
 * @param share takes the memory, and keeps that of the result
 * @throws HttpError 413 when larger, 503 when there is no memory for it now or it comes too slowly, 400 when it cannot be
 * inflated or breaks off
 */
export async function readBody(request: Readable, encoding: string | undefined, share: MemoryShare): Promise<Buffer> {
  const raw = await collect(request, share, PACE_INTERVAL_MS)
  const inflater = inflaterFor(raw, encoding?.trim().toLowerCase())
  if (inflater === undefined) return raw
  try {
    return await collect(Readable.from([raw]).pipe(inflater), share)
  } finally {
    inflater.destroy()
    share.give(raw.length)
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

function collect(stream: Readable, share: MemoryShare, paceMs?: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (stream.destroyed) return reject(broken())
    const chunks: Buffer[] = []
    let size = 0
    let sizeBefore = 0
    const pace = setInterval(() => {
      if (size - sizeBefore < MIN_PACE_BYTES) fail(tooSlow())
      sizeBefore = size
    }, paceMs ?? 2 ** 31 - 1)
    const onData = (chunk: Buffer) => {
      if (size + chunk.length > MAX_BODY_BYTES) return fail(tooLarge())
      if (!share.take(chunk.length)) return fail(new NoMemory())
      size += chunk.length
      chunks.push(chunk)
    }
    const fail = (reason: HttpError) => {
      // Without this listener the rest still flows, unseen, so that the sender gets to read the answer.
      stream.off('data', onData)
      clearInterval(pace)
      share.give(size)
      chunks.length = size = 0
      reject(reason)
    }
    stream.on('data', onData)
    stream.once('end', () => {
      clearInterval(pace)
      resolve(Buffer.concat(chunks))
    })
    stream.once('error', () => fail(broken()))
  })
}
