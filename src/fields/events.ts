import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { isObject, jsonOf, type JsonObject } from '../http/json'

/** Of a file that is one JSON value over several lines; one with a value on each line may be of any size. */
const MAX_VALUE_CHARACTERS = 64_000_000

/**
 * The events in a file: newline-delimited JSON, an array, one event, or the `{"batch": […]}` of an SDK; gzip when its name ends in
 * .gz; `-` is stdin.
 * @throws with file and line when something is no JSON
 */
export async function* readEvents(file: string): AsyncGenerator<JsonObject> {
  let number = 0
  let whole: string | undefined
  for await (const line of lines(file)) {
    number++
    if (whole !== undefined) {
      whole += line
      if (whole.length > MAX_VALUE_CHARACTERS)
        throw new Error(`${file}: too large; put each event on a line of its own`)
    } else if (line.trim() !== '') {
      const value = jsonOf(line)
      if (value !== undefined) yield* eventsIn(value)
      else if (number === 1) whole = line
      else throw new Error(`${file}:${number}: is no JSON`)
    }
  }
  if (whole === undefined) return
  const value = jsonOf(whole)
  if (value === undefined) throw new Error(`${file}: is no JSON`)
  yield* eventsIn(value)
}

async function* lines(file: string): AsyncGenerator<string> {
  const bytes = file === '-' ? process.stdin : createReadStream(file)
  const input = file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes
  // An error of what is piped does not reach the end of the pipe by itself.
  if (input !== bytes) bytes.on('error', (error: Error) => input.destroy(error))
  try {
    let first = true
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      yield first ? line.replace(/^\uFEFF/, '') : line
      first = false
    }
  } catch (error) {
    throw new Error(`${file}: can't be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error
    })
  }
}

function* eventsIn(value: unknown): Generator<JsonObject> {
  if (Array.isArray(value)) for (const item of value) yield* eventsIn(item)
  else if (isObject(value) && Array.isArray(value.batch)) yield* eventsIn(value.batch)
  else if (isObject(value)) yield value
}
