import { Command } from 'commander'
import type * as everything from './everything'
import { makeFolder } from './folder'
import { portOption } from './units'

/** `bin/run dev`, which is `npm start`: sandbox, serve and bridge on this machine, wired together, until Ctrl-C. */
export function devCommand(): Command {
  return new Command('dev')
    .description('run everything on this machine: sandbox, tester page and bridge')
    .addOption(portOption('--port', 'PORT', 3000, 'the tester page and the destination'))
    .addOption(portOption('--sandbox-port', 'SANDBOX_PORT', 4010, 'the sandbox EmailSendX'))
    .addOption(portOption('--bridge-port', 'BRIDGE_PORT', 8080, 'the bridge'))
    .option('--data <folder>', 'folder that keeps contacts and queues across restarts (default: in memory)')
    .action(async (options: everything.Everything) => {
      if (options.data !== undefined) makeFolder(options.data, '--data')
      console.log('EmailSendX for Segment: starting the sandbox, the bridge and the tester page …')
      // Not before: it takes longer to load than it may take to say something.
      await (require('./everything') as typeof everything).runEverything(options)
    })
}
