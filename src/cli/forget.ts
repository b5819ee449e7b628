import { Command } from 'commander'
import type { OpenQueue } from './open-queue'

interface Person {
  email?: string
  userId?: string
  partition?: string
  json?: boolean
}

/** `bin/run bridge forget`: erases a person from the store. */
export function forgetCommand(open: OpenQueue): Command {
  return new Command('forget')
    .description('erase a person: addresses, ids, waiting events and dead letters')
    .option('--email <address>', 'the person with this address')
    .option('--user-id <id>', 'the person with this userId')
    .option('--partition <name>', 'of one API key only, by the name that "keys list" shows')
    .option('--json', 'print JSON')
    .addHelpText('after', '\n--store (or BRIDGE_STORE) names the store, as for the bridge, which may go on running.')
    .action(async ({ email, userId, partition, json }: Person, self: Command) => {
      if ((email === undefined) === (userId === undefined)) throw new Error('say who: --email or --user-id')
      const result = await open(self, (queue) => queue.forget({ email, userId, partition }))
      const { events, deadLetters, ids } = result
      console.log(json ? JSON.stringify(result) : `${events} events, ${deadLetters} dead letters and ${ids} ids erased`)
    })
}
