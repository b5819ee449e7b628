import { loopbackOrigin } from '../../http/loopback'

/** The servers that run beside this one. They come from the environment, never from a request. */
export interface Upstreams {
  /** Origin of the sandbox EmailSendX. */
  sandbox?: string
  /** A key the sandbox accepts. */
  sandboxKey?: string
  /** Origin of the bridge. */
  bridge?: string
}

/** Reads where `bin/run dev` has put them. Anything that is not on this machine is somebody else's server. */
export function upstreamsOf(env: NodeJS.ProcessEnv): Upstreams {
  const sandbox = loopbackOrigin(env.EMAILSENDX_API_URL)
  return { sandbox, sandboxKey: sandbox && env.EMAILSENDX_API_KEY, bridge: loopbackOrigin(env.EMAILSENDX_BRIDGE_URL) }
}
