import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { Command, Option } from 'commander'
import identify from '../../.segment/events/identify.json'
import track from '../../.segment/events/track-with-address.json'
import { startBridge } from '../bridge'
import { SANDBOX_KEY, startSandbox } from '../sandbox'
import { startServe } from '../serve'
import { integer } from './units'

interface DevOptions {
  port: number
  sandboxPort: number
  bridgePort: number
  data?: string
}

/** `bin/run dev`, which is `npm start`: sandbox, serve and bridge on this machine, wired together, until Ctrl-C. */
export function devCommand(): Command {
  return new Command('dev')
    .description('run everything on this machine: sandbox, tester page and bridge')
    .addOption(portOption('--port', 'PORT', 3000, 'the tester page and the destination'))
    .addOption(portOption('--sandbox-port', 'SANDBOX_PORT', 4010, 'the sandbox EmailSendX'))
    .addOption(portOption('--bridge-port', 'BRIDGE_PORT', 8080, 'the bridge'))
    .option('--data <folder>', 'folder that keeps contacts and queues across restarts (default: in memory)')
    .action(runEverything)
}

function portOption(flag: string, variable: string, standard: number, what: string): Option {
  return new Option(`${flag} <number>`, `port of ${what}; 0 picks a free one`)
    .env(variable)
    .default(standard)
    .argParser(integer(0, 65_535))
}

async function runEverything({ port, sandboxPort, bridgePort, data }: DevOptions): Promise<void> {
  const running: { close(): Promise<void> }[] = []
  const end = async () => {
    // The last started depends on the first.
    for (const part of running.splice(0).reverse()) await part.close()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end())

  try {
    if (data) mkdirSync(data, { recursive: true })
    const sandbox = await startSandbox({ port: sandboxPort, data: data && path.join(data, 'sandbox.sqlite') })
    running.push(sandbox)
    const bridge = await startBridge({
      port: bridgePort,
      store: data ? path.join(data, 'bridge.sqlite') : ':memory:',
      apiUrl: sandbox.url,
      control: true,
      logLevel: 'warn'
    })
    running.push(bridge)
    const env = {
      EMAILSENDX_API_URL: sandbox.url,
      EMAILSENDX_API_KEY: SANDBOX_KEY,
      EMAILSENDX_BRIDGE_URL: bridge.url
    }
    const serve = await startServe({ port, env, log: () => undefined })
    running.push(serve)
    console.log(welcome(serve.url, sandbox.url, bridge.url))
  } catch (error) {
    await end()
    throw error
  }
}

/** What runs where, and the two events of EmailSendX's Segment page as lines to paste into a shell. */
function welcome(serve: string, sandbox: string, bridge: string): string {
  return `
  Tester page   ${serve}
  Sandbox       ${sandbox}   key ${SANDBOX_KEY}
  Bridge        ${bridge}   takes webhooks at /api/segment/track and /api/rudderstack/track, SDKs at /v1

  Paste these two lines into another terminal:

  ${curl(`${serve}/identifyContact`, sandbox, identify)}

  ${curl(`${serve}/trackEvent`, sandbox, track)}

  Then look at the contact, its list and its automation:

  curl -s '${sandbox}/_sandbox/state?email=${encodeURIComponent(identify.traits.email)}'

  Ctrl-C ends everything.
`
}

function curl(url: string, apiUrl: string, payload: object): string {
  const settings = { apiKey: SANDBOX_KEY, apiUrl, defaultListId: 'clx_list_newsletter_id' }
  return `curl -s ${url} -H 'Content-Type: application/json' -d '${JSON.stringify({ payload, settings })}'`
}
