/**
 * Measures the destination beside those that Segment publishes: requests and CPU for 1,000 events, alone and in batches, and
 * what each reports when something goes wrong. Writes bench/results.json, docs/benchmarks.md and its charts. `npm run bench`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { chart } from './destination/chart'
import { contestants } from './destination/contestants'
import { EVENTS, measure, meetFaults, ROUNDS, type Figure } from './destination/measure'
import { Network } from './destination/network'
import { writePage } from './destination/page'

async function main(): Promise<void> {
  const requireFromBench = createRequire(path.join(__dirname, 'package.json'))
  const network = new Network(requireFromBench)
  const core = requireFromBench('@segment/actions-core') as Parameters<typeof measure>[1]
  const all = contestants(__dirname, requireFromBench)

  const figures = withRatios(await measure(all, core, network))
  const faults = await meetFaults(all, core, network)
  const results = { machine: machine(), versions: versions(), events: EVENTS, rounds: ROUNDS, figures, faults }
  console.table(figures)
  console.table(faults.map(({ results, ...fault }) => ({ ...fault, ...results })))

  const file = path.join(__dirname, 'results.json')
  writeFileSync(file, `${JSON.stringify({ ...earlier(file), destination: results }, null, 2)}\n`)
  for (const theme of ['light', 'dark'] as const) {
    writeFileSync(path.join(__dirname, `../docs/images/bench-destination-${theme}.svg`), chart(figures, theme))
  }
  writePage(path.join(__dirname, '../docs/benchmarks.md'), results)
}

/** Each figure as a multiple of ours of the same kind: a ratio outlives the machine. */
function withRatios(figures: Figure[]): (Figure & { ratio: number | null })[] {
  return figures.map((figure) => {
    const ours = figures.find(
      ({ contestant, call, way }) => contestant === 'EmailSendX' && call === figure.call && way === figure.way
    )
    return { ...figure, ratio: ours ? Math.round((figure.cpuMicros / ours.cpuMicros) * 100) / 100 : null }
  })
}

const machine = () => ({ cpu: os.cpus()[0]?.model, cores: os.cpus().length, node: process.version, os: os.platform() })

function versions() {
  const { dependencies } = JSON.parse(readFileSync(path.join(__dirname, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  return dependencies
}

/** What other benchmarks have written there. */
function earlier(file: string): object {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as object
  } catch {
    return {}
  }
}

void main()
