import { fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { execArgv } from '../../../src/typescript'

/**
 * Delivers one event as Segment does: in a process that has seen no other, through the two default presets.
 * @returns what each preset made of it; the words of an error, when it failed
 */
export async function deliver(event: object, settings: object): Promise<unknown> {
  const child = fork(path.join(__dirname, 'segment-process.ts'), { execArgv })
  const died = once(child, 'exit').then(([code]) => {
    throw new Error(`Segment's process ended with ${String(code)}`)
  })
  try {
    child.send({ event, settings })
    const [results] = (await Promise.race([once(child, 'message'), died])) as [unknown]
    return results
  } finally {
    died.catch(() => undefined)
    child.kill()
  }
}
