import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import path from 'node:path'
import { History } from '../src/replay/history'
import { makePlan } from '../src/replay/plan'
import { readInput } from '../src/event-files'
import { identifyIndex, writeHistory } from './replay-history'

/*
 * How fast a history is read and planned, and in how much memory: `tsx bench/replay.ts [LINES]`. By CPU time of all threads,
 * so that a busy machine changes little.
 */

interface Measure {
  step: string
  cpuSeconds: number
  linesASecond: number
}

async function measure(step: string, lines: number, work: () => Promise<void>): Promise<Measure> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  const cpuSeconds = (user + system) / 1e6
  return { step, cpuSeconds: Number(cpuSeconds.toFixed(1)), linesASecond: Math.round(lines / cpuSeconds) }
}

async function main(lines: number): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'replay-bench-'))
  const file = path.join(folder, 'history.json.gz')
  const identifies = path.join(folder, 'identifies.json.gz')
  try {
    await writeHistory(file, lines)
    await writeHistory(identifies, lines, identifyIndex)
    const input = { files: [file], columns: {} }
    const results = [
      await measure('read: inflate, split, parse', lines, async () => {
        for await (const portion of readInput(input)) void portion
      }),
      await measure('plan: read, pick, collapse', lines, () => plan({ ...input })),
      await measure('plan, firing the last tenth', lines, () => plan({ ...input, fireSince: tenth(lines) })),
      await measure('plan nothing but identifies', lines, () => plan({ files: [identifies], columns: {} }))
    ]
    console.table(results)
    const megabytes = Math.round(process.resourceUsage().maxRSS / 1024)
    console.log(
      `${lines} lines, ${Math.round(statSync(file).size / 1e6)} MB in gzip; at most ${megabytes} MB of memory`
    )
    console.log(`Node ${process.version}, ${cpus()[0].model}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function plan(options: Parameters<typeof makePlan>[1]): Promise<void> {
  const history = History.createTemporary()
  await makePlan(history, options)
  history.close()
}

/** The generated history has an event a minute. */
function tenth(lines: number): number {
  return Date.UTC(2024, 0, 1) + lines * 0.9 * 60_000
}

void main(Number(process.argv[2] ?? 1_000_000))
