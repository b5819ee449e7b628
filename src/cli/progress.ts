const EVERY_MS = { terminal: 200, lines: 5_000 }

/**
 * Shows on stderr how far a long job is, how fast, and how long it will take: in one line of a terminal that changes, else in a
 * line every five seconds.
 * @param what such as `retried`
 * @param total how much there is to be done
 */
export function progressOf(
  what: string,
  total: number,
  out: NodeJS.WriteStream = process.stderr
): (done: number) => void {
  const started = performance.now()
  let shownAt = started
  return (done) => {
    const now = performance.now()
    const isLast = done >= total
    if (now - shownAt < (out.isTTY ? EVERY_MS.terminal : EVERY_MS.lines) && !(isLast && out.isTTY)) return
    shownAt = now
    const rate = (done / (now - started)) * 1000
    const left = Math.ceil(Math.max(0, total - done) / rate)
    const line = `${done} of ${total} ${what}, ${Math.round(rate)} a second, ${left} s left`
    out.write(out.isTTY ? `\r${line}\x1b[K${isLast ? '\n' : ''}` : `${line}\n`)
  }
}
