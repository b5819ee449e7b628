import { Command } from 'commander'
import { onStore, withStore } from './bridge-store'

interface Person {
  email?: string
  userId?: string
  partition?: string
  json?: boolean
}

/** `bin/run bridge forget`: erases a person from the store. */
export function forgetCommand(): Command {
  return onStore(new Command('forget'))
    .description('erase a person: addresses, ids, waiting events and dead letters')
    .option('--email <address>', 'the person with this address')
    .option('--user-id <id>', 'the person with this userId')
    .option('--partition <name>', 'of one API key only, by the name that "keys list" shows')
    .action(async ({ email, userId, partition, json }: Person, self: Command) => {
      if ((email === undefined) === (userId === undefined)) throw new Error('say who: --email or --user-id')
      const result = await withStore(self, (queue) => queue.forget({ email, userId, partition }))
      const { events, deadLetters, ids } = result
      console.log(json ? JSON.stringify(result) : `${events} events, ${deadLetters} dead letters and ${ids} ids erased`)
    })
}
