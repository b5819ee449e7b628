import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const LOOK_MS = 500

/**
 * Calls `close` once when this process is to end: on Ctrl-C or SIGTERM, and when the npm or npx that runs it has gone. npm
 * does not pass every signal on, so that a process manager that ends npm would leave this and its ports behind.
 */
export function untilStopped(close: () => Promise<void>): void {
  let looking: NodeJS.Timeout | undefined
  let closing: Promise<void> | undefined
  const end = () => {
    clearInterval(looking)
    closing ??= close()
  }
  // Once: who presses Ctrl-C again does not want to wait.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)
  const above = processesAbove()
  if (above.length > 0) looking = setInterval(() => above.every(isAlive) || end(), LOOK_MS).unref()
}

/** npm, and the shell it may have put in between; none when this was not started by npm. */
function processesAbove(): number[] {
  if (process.env.npm_command === undefined || process.platform === 'win32') return []
  const parent = describe(process.ppid)
  return parent && /sh$/.test(parent.name) ? [process.ppid, parent.parent] : [process.ppid]
}

/** Its name and its parent's id. */
function describe(id: number): { name: string; parent: number } | undefined {
  try {
    const text =
      process.platform === 'linux'
        ? readFileSync(`/proc/${id}/stat`, 'utf8').replace(/^\d+ \((.*)\) \S (\d+) [^]*$/, '$2 $1')
        : execFileSync('ps', ['-o', 'ppid=,comm=', '-p', String(id)], { encoding: 'utf8' })
    const [, parent, name] = /^\s*(\d+)\s+(.*?)\s*$/.exec(text) ?? []
    return { name, parent: Number(parent) }
  } catch {
    return undefined
  }
}

function isAlive(id: number): boolean {
  try {
    process.kill(id, 0)
    return true
  } catch (error) {
    // Somebody else's process is alive, too.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
