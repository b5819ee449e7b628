import type { Report } from '../replay/report'
import { progressInWords } from './replay-words'

const BAR_MS = 500
const LINE_MS = 10_000
const BAR_WIDTH = 20

/** Shows how far it is, on standard error: a bar on a terminal, elsewhere a line every ten seconds. @returns what ends that */
export function showProgress(report: () => Promise<Report>): () => void {
  const { stderr } = process
  const begun = performance.now()
  let first: number | undefined
  const show = async () => {
    const now = await report()
    const [done, all] = amountsOf(now)
    first ??= done
    const rate = ((done - first) / (performance.now() - begun)) * 60_000
    const seconds = rate > 0 ? (Math.max(0, all - done) / rate) * 60 : undefined
    const words = progressInWords(now, { rate, seconds })
    const share = all === 0 ? 1 : Math.min(1, done / all)
    stderr.write(stderr.isTTY ? `\r\x1b[K${`${bar(share)} ${words}`.slice(0, stderr.columns - 1)}` : `${words}\n`)
  }
  // A report that can't be had (the store is busy) is only one less.
  const timer = setInterval(() => void show().catch(() => undefined), stderr.isTTY ? BAR_MS : LINE_MS)
  return () => {
    clearInterval(timer)
    if (stderr.isTTY) stderr.write('\r\x1b[K')
  }
}

/** Calls are what takes the time. */
function amountsOf({ calls, queued, total }: Report): [done: number, all: number] {
  return calls.made === undefined ? [queued, total] : [calls.made, calls.planned]
}

function bar(share: number): string {
  const full = Math.round(share * BAR_WIDTH)
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}] ${Math.floor(share * 100)}%`
}
