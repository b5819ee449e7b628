import { Command } from 'commander'
import { moveStore } from '../bridge/queue'
import type { Moved } from '../bridge/queue'
import { progressOf } from './progress'

/** `bin/run bridge move`: moves a store to another place, from SQLite to Postgres or back. */
export function moveCommand(): Command {
  return new Command('move')
    .description('move everything in a store to another one, which must be empty; started again, it goes on')
    .argument('<from>', 'SQLite file, or postgres://user:password@host/database')
    .argument('<to>', 'the same')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nStop the bridge first. Both stores have the same secret: BRIDGE_SECRET, or that of a SQLite file.'
    )
    .action(async (from: string, to: string, { json }: { json?: boolean }) => {
      const secret = process.env.BRIDGE_SECRET
      let show: ((done: number) => void) | undefined
      const progress = (done: number, total: number) => (show ??= progressOf('rows moved', total))(done)
      const moved = await moveStore(from, to, { secret, progress })
      console.log(json ? JSON.stringify(moved) : inWords(moved))
      if (!json && secret === undefined && to.includes('://')) {
        console.log(`Set BRIDGE_SECRET to what is in ${from}.secret before you start the bridge on the new store.`)
      }
    })
}

function inWords({ partitions, events, deadLetters, messageIds, identityLinks }: Moved): string {
  return `moved ${partitions} keys, ${events} events, ${deadLetters} dead letters, ${messageIds} messageIds and ${identityLinks} ids of users`
}
