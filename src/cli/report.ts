import { Command } from 'commander'
import type { EventNameReport } from '../bridge/queue'
import { onStore, withStore } from './bridge-store'
import { table } from './table'

/** `bin/run bridge report`: which events a key's calls were spent on, and whether anything waited for them. */
export function reportCommand(): Command {
  return onStore(new Command('report'))
    .description('show which event names the calls were spent on, and which of them automations wait for')
    .option('--partition <name>', 'of one API key, by the name that "keys list" shows')
    .action(async ({ partition, json }: { partition?: string; json?: boolean }, self: Command) => {
      const names = await withStore(self, (queue) => queue.partitions.report({ partition }))
      console.log(json ? JSON.stringify({ names }) : reportOf(names))
    })
}

function reportOf(names: EventNameReport[]): string {
  if (names.length === 0) return 'no event has been fired yet'
  const rows = names.map(({ partition, name, calls, matched, skipped }) => [
    partition,
    name,
    String(calls),
    String(matched),
    String(skipped)
  ])
  const calls = sum(names)
  const vain = sum(names.filter(({ matched }) => matched === 0))
  const share = Math.round((vain / Math.max(1, calls)) * 100)
  return `${table(['partition', 'event', 'calls', 'automations', 'skipped'], rows)}
${share} % of ${calls} calls went to names that nothing waits for`
}

function sum(names: EventNameReport[]): number {
  return names.reduce((total, { calls }) => total + calls, 0)
}
