import { loopbackOrigin } from '../../http/loopback'

/** The servers that run beside this one. They come from the environment or are found, never from a request. */
export interface Upstreams {
  /** Origin of the sandbox EmailSendX. */
  sandbox?: string
  /** A key the sandbox accepts. */
  sandboxKey?: string
  /** Origin of the bridge. */
  bridge?: string
  /** What the bridge's operator API asks for. */
  bridgeToken?: string
}

/** A server on this machine answers in a few ms, or not at all. */
const PROBE_MS = 500

/**
 * Where `bin/run dev` has put them, else where they are by themselves: the sandbox on 4010, the bridge on 8080, or on
 * SANDBOX_PORT and BRIDGE_PORT. Anything that is not on this machine is somebody else's server.
 */
export async function findUpstreams(env: NodeJS.ProcessEnv): Promise<Upstreams> {
  const { EMAILSENDX_API_URL, EMAILSENDX_BRIDGE_URL, SANDBOX_PORT, BRIDGE_PORT } = env
  const [sandbox, bridge] = await Promise.all([
    EMAILSENDX_API_URL ?? answering(`http://127.0.0.1:${SANDBOX_PORT || 4010}`, '/_sandbox/faults'),
    EMAILSENDX_BRIDGE_URL ?? answering(`http://127.0.0.1:${BRIDGE_PORT || 8080}`, '/readyz')
  ])
  const origin = loopbackOrigin(sandbox)
  return {
    sandbox: origin,
    sandboxKey: origin && env.EMAILSENDX_API_KEY,
    bridge: loopbackOrigin(bridge),
    bridgeToken: env.BRIDGE_ADMIN_TOKEN
  }
}

async function answering(origin: string, path: string): Promise<string | undefined> {
  const isThere = await fetch(origin + path, { signal: AbortSignal.timeout(PROBE_MS) }).then(
    ({ ok }) => ok,
    () => false
  )
  return isThere ? origin : undefined
}
