import { Command, InvalidArgumentError } from 'commander'
import { startServe } from '../serve'

interface Options {
  destination?: string
  directory?: string
  noUI?: boolean
  bodyLimit?: number
}

/** `bin/run serve`: a destination behind the HTTP contract of Segment's own local server, until Ctrl-C. */
export function serveCommand(): Command {
  return new Command('serve')
    .description("serve a destination locally, as Segment's actions-cli does (port: PORT, else 3000)")
    .option('-d, --destination <folder>', 'the destination to serve; not needed where there is one only')
    .option('-b, --directory <folder>', 'the folder that holds the destinations (default: definitions)')
    .option('-n, --noUI', 'only the routes: no page and no websocket')
    .option('--body-limit <kB>', 'largest request body in kB (default: 100)', kilobytes)
    .action(async ({ noUI, ...options }: Options) => {
      const server = await startServe({ ...options, ui: !noUI })
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close())
    })
}

function kilobytes(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text) * 1024
  throw new InvalidArgumentError('It must be a number of kB from 1 to 9999999.')
}
