import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { openQueue } from '../bridge/queue'
import type { Queue } from '../bridge/queue'
import { optionsOf } from './bridge-options'

/** Makes a command one that works on the store of a bridge. */
export function onStore(command: Command): Command {
  return command
    .option('--json', 'print JSON')
    .addHelpText('after', '\n--store (or BRIDGE_STORE) names the store, as for the bridge, which may go on running.')
}

/** Does something with the store that a command's options name, and closes it again. */
export async function withStore<Result>(command: Command, work: (queue: Queue) => Promise<Result>): Promise<Result> {
  const { store, secret } = optionsOf(command)
  const queue = await openExisting(store, secret)
  try {
    return await work(queue)
  } finally {
    await queue.close()
  }
}

/** Opens a store that is there: a name mistyped makes no new one. */
export async function openExisting(store: string, secret: string | undefined): Promise<Queue> {
  if (!store.includes('://') && !existsSync(store)) throw new Error(`there is no store ${store}; name it with --store`)
  return openQueue(store, { secret })
}
