import { randomUUID } from 'node:crypto'
import path from 'node:path'
import identify from '../../.segment/events/identify.json'
import track from '../../.segment/events/track.json'
import { startBridge } from '../bridge'
import { SANDBOX_KEY, startSandbox } from '../sandbox'
import { startServe } from '../serve'
import { untilStopped } from './until-stopped'

export interface Everything {
  port: number
  sandboxPort: number
  bridgePort: number
  /** Folder, which is there, that keeps contacts and queues; absent: in memory. */
  data?: string
}

/** Sandbox, bridge and serve, wired together, until this process is told to end. */
export async function runEverything({ port, sandboxPort, bridgePort, data }: Everything): Promise<void> {
  const running: { close(): Promise<void> }[] = []
  const end = async () => {
    // The last started depends on the first.
    for (const part of running.splice(0).reverse()) await part.close()
  }
  untilStopped(end)

  try {
    const sandbox = await startSandbox({ port: sandboxPort, data: data && path.join(data, 'sandbox.sqlite') })
    running.push(sandbox)
    const adminToken = randomUUID()
    const bridge = await startBridge(
      {
        port: bridgePort,
        store: data ? path.join(data, 'bridge.sqlite') : ':memory:',
        apiUrl: sandbox.url,
        adminToken,
        logLevel: 'warn'
      },
      { write: (line) => console.error(spoken(line)) }
    )
    running.push(bridge)
    const env = {
      EMAILSENDX_API_URL: sandbox.url,
      EMAILSENDX_API_KEY: SANDBOX_KEY,
      EMAILSENDX_BRIDGE_URL: bridge.url,
      BRIDGE_ADMIN_TOKEN: adminToken
    }
    const serve = await startServe({ port, env, log: () => undefined })
    running.push(serve)
    console.log(welcome(serve.url, sandbox.url, bridge.url, data))
  } catch (error) {
    await end()
    throw error
  }
}

/** What runs where, and the two calls of EmailSendX's Segment page as lines to paste into a shell: the second has no address. */
function welcome(serve: string, sandbox: string, bridge: string, data?: string): string {
  const { userId, traits } = identify
  const { event, properties } = track
  return `
  Tester page   ${serve}
  Sandbox       ${sandbox}   key ${SANDBOX_KEY}
  Bridge        ${bridge}   takes webhooks at /api/segment/track and /api/rudderstack/track, SDKs at /v1

  Paste these two lines into another terminal:

  ${curl(`${serve}/identifyContact`, sandbox, { type: 'identify', userId, traits })}

  ${curl(`${serve}/trackEvent`, sandbox, { type: 'track', userId, event, properties })}

  Then look at the contact, its list and its automation:

  curl -s '${sandbox}/_sandbox/state?email=${encodeURIComponent(traits.email)}'

  ${
    data ? `What there is stays in ${data}.` : 'All of it is in memory only: --data DIR keeps it.'
  } Ctrl-C ends everything.
`
}

function curl(url: string, apiUrl: string, payload: object): string {
  const settings = { apiKey: SANDBOX_KEY, apiUrl, defaultListId: 'clx_list_newsletter_id' }
  return `curl -s ${url} -H 'Content-Type: application/json' -d '${JSON.stringify({ payload, settings })}'`
}

/** A line of the bridge's log, as one says it. */
function spoken(line: string): string {
  const { msg, why, status, err } = JSON.parse(line) as { [part in 'msg' | 'why' | 'status']?: string } & {
    err?: { message: string }
  }
  const detail = [why ?? err?.message, status].filter(Boolean).join(', ')
  return `  bridge: ${msg}${detail && ` (${detail})`}`
}
