import path from 'node:path'
import type { startBridge } from '../../../src/bridge'
import { SANDBOX_KEY, startSandbox } from '../../../src/sandbox'
import { startServe } from '../../../src/serve'

export { SANDBOX_KEY }

const ADMIN_TOKEN = 'a token of the tests'

/** The address of the page, and what stands behind it. */
export interface Stack {
  page: string
  sandbox: string
  bridge?: string
  close(): Promise<void>
}

interface StackOptions {
  /** Starts the bridge, where one is wanted: loading it takes a test most of a second. */
  bridge?: typeof startBridge
  /** The folder that holds the destination; default: this repository's. */
  directory?: string
  port?: number
  sandboxPort?: number
  /** Added to the environment of the local server. */
  env?: Record<string, string>
}

/** Sandbox, bridge and serve as `npm start` wires them, on free ports, everything in memory. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { bridge, directory, port = 0, sandboxPort = 0, env } = options
  const sandbox = await startSandbox({ port: sandboxPort })
  const ran = await bridge?.({
    port: 0,
    apiUrl: sandbox.url,
    store: ':memory:',
    adminToken: ADMIN_TOKEN,
    logLevel: 'silent'
  })
  const serve = await startServe({
    port,
    directory: directory ?? path.join(__dirname, '../../../definitions'),
    env: {
      EMAILSENDX_API_URL: sandbox.url,
      EMAILSENDX_API_KEY: SANDBOX_KEY,
      EMAILSENDX_BRIDGE_URL: ran?.url ?? '',
      BRIDGE_ADMIN_TOKEN: ADMIN_TOKEN,
      ...env
    },
    log: () => undefined
  })
  return {
    page: serve.url,
    sandbox: sandbox.url,
    bridge: ran?.url,
    async close() {
      await serve.close()
      await ran?.close()
      await sandbox.close()
    }
  }
}
