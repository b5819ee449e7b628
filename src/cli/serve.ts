import { Command } from 'commander'
import { SANDBOX_KEY } from '../sandbox/resources/keys'
import type * as servers from '../serve'
import { findUpstreams } from '../serve/tester/upstreams'
import { PROGRAM } from '../typescript'
import { integer } from './units'
import { untilStopped } from './until-stopped'

interface Options {
  destination?: string
  directory?: string
  noUI?: boolean
  bodyLimit: number
}

/** `bin/run serve`: a destination behind the HTTP contract of Segment's own local server, until Ctrl-C. */
export function serveCommand(): Command {
  return new Command('serve')
    .description("serve a destination locally, as Segment's actions-cli does (port: PORT, else 3000)")
    .option('-d, --destination <folder>', 'the destination to serve; not needed where there is one only')
    .option('-b, --directory <folder>', 'the folder that holds the destinations (default: definitions)')
    .option('-n, --noUI', 'only the routes: no page and no websocket')
    .option('--body-limit <kB>', 'largest request body in kB', integer(1, 1_000_000), 100)
    .action(async ({ noUI, bodyLimit, ...options }: Options) => {
      const given = process.env.EMAILSENDX_API_URL
      const sandbox = given || (await findUpstreams(process.env)).sandbox
      const env = !given && sandbox ? { EMAILSENDX_API_URL: sandbox, EMAILSENDX_API_KEY: SANDBOX_KEY } : undefined
      const { startServe } = require('../serve') as typeof servers
      const server = await startServe({ ...options, env, ui: !noUI, bodyLimit: bodyLimit * 1024 })
      untilStopped(() => server.close())
      if (noUI) return
      console.log(`Tester page: ${server.url}`)
      if (sandbox) console.log(`EmailSendX: ${sandbox}`)
      else console.log(`No sandbox EmailSendX runs here: start one with ${PROGRAM} sandbox, then this again.`)
    })
}
