/**
 * Measures what an event costs in the bridge's queue as the store grows: 10² … 10⁶ events, 1 … 10⁵ keys. Writes
 * bench/results.json, docs/benchmarks.md and its chart. `npm run bench:growth`, some minutes.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { chart } from './growth/chart'
import { grow, knownKeys, waitingEvents } from './growth/measure'
import { writePage } from './growth/page'

const EVENTS = [100, 1_000, 10_000, 100_000, 1_000_000]
const KEYS = [1, 10, 100, 1_000, 10_000, 100_000]

async function main(): Promise<void> {
  const growth = { events: await grow(waitingEvents, EVENTS), keys: await grow(knownKeys, KEYS) }
  for (const points of Object.values(growth)) {
    console.table(
      points.map(({ size, micros, ratio }) => ({
        size,
        ...micros,
        'intake ×': ratio.intake,
        'delivery ×': ratio.delivery
      }))
    )
  }
  const machine = { cpu: os.cpus()[0]?.model, cores: os.cpus().length, node: process.version, os: os.platform() }
  const file = path.join(__dirname, 'results.json')
  const earlier = JSON.parse(readFileSync(file, 'utf8')) as object
  writeFileSync(file, `${JSON.stringify({ ...earlier, growth: { machine, ...growth } }, null, 2)}\n`)
  for (const theme of ['light', 'dark'] as const) {
    writeFileSync(path.join(__dirname, `../docs/images/bench-growth-${theme}.svg`), chart(growth, theme))
  }
  writePage(path.join(__dirname, '../docs/benchmarks.md'), growth)
}

void main()
