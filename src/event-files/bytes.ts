import type { Transform } from 'node:stream'
import { createGunzip } from 'node:zlib'

export type Bytes = AsyncIterable<Buffer>

/** Bytes inflated at once: gzip makes at most 1,032 times as much of them, which bounds the memory. */
const MAX_SLICE = 16 * 1024

/** The first bytes of a stream (fewer only when it has no more), and the whole stream again. */
export async function peek(bytes: Bytes, count: number): Promise<{ head: Buffer; bytes: Bytes }> {
  const iterator = bytes[Symbol.asyncIterator]()
  const chunks: Buffer[] = []
  let size = 0
  while (size < count) {
    const next = await iterator.next()
    if (next.done) break
    chunks.push(next.value)
    size += next.value.length
  }
  return { head: Buffer.concat(chunks), bytes: again(chunks, iterator) }
}

async function* again(chunks: Buffer[], rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  yield* chunks
  yield* { [Symbol.asyncIterator]: () => rest }
}

/** The bytes without the first ones. */
export async function* skip(bytes: Bytes, count: number): AsyncGenerator<Buffer, void, undefined> {
  let left = count
  for await (const chunk of bytes) {
    const rest = chunk.subarray(Math.min(left, chunk.length))
    left -= chunk.length - rest.length
    if (rest.length > 0) yield rest
  }
}

/**
 * Inflates gzip, of one member or many. Where the data breaks off or is damaged, everything before is given out, then
 * `onBroken` called.
 */
export async function* inflate(bytes: Bytes, onBroken: () => void): AsyncGenerator<Buffer, void, undefined> {
  try {
    for await (const chunks of through<Buffer>(createGunzip({ chunkSize: 64 * 1024 }), slices(bytes))) yield* chunks
  } catch (error) {
    if (!/^Z_(BUF|DATA)_ERROR$/.test((error as NodeJS.ErrnoException).code ?? '')) throw error
    onBroken()
  }
}

async function* slices(bytes: Bytes): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of bytes) {
    for (let start = 0; start < chunk.length; start += MAX_SLICE) yield chunk.subarray(start, start + MAX_SLICE)
  }
}

/**
 * Everything a transform makes of the bytes, piece by piece. Unlike a pipeline it loses nothing of what was made before an
 * error, which is thrown last.
 */
export async function* through<Made>(transform: Transform, bytes: Bytes): AsyncGenerator<Made[], void, undefined> {
  const made: Made[] = []
  const take = () => made.splice(0)
  transform.on('data', (piece: Made) => made.push(piece))
  const failure = new Promise<never>((_, reject) => transform.once('error', reject))
  const ended = new Promise<void>((resolve) => transform.once('end', resolve))
  failure.catch(() => undefined)
  try {
    for await (const chunk of bytes) {
      const written = new Promise<void>((resolve) => transform.write(chunk, () => resolve()))
      await Promise.race([failure, written])
      if (made.length > 0) yield take()
    }
    transform.end()
    await Promise.race([failure, ended])
  } catch (error) {
    if (made.length > 0) yield take()
    throw error
  } finally {
    transform.destroy()
  }
  if (made.length > 0) yield take()
}
