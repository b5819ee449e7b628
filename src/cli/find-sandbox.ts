import { SANDBOX_KEY } from '../sandbox'

const MAX_WAIT_MS = 500

/**
 * The environment that shows the tester page the sandbox on its usual port (SANDBOX_PORT, else 4010), if one runs there; nothing
 * where the environment names an EmailSendX already.
 */
export async function findSandbox(): Promise<Record<string, string> | undefined> {
  const { EMAILSENDX_API_URL, SANDBOX_PORT } = process.env
  if (EMAILSENDX_API_URL) return undefined
  const url = `http://127.0.0.1:${SANDBOX_PORT || 4010}`
  const isSandbox = await fetch(`${url}/_sandbox/settings`, { signal: AbortSignal.timeout(MAX_WAIT_MS) }).then(
    ({ ok }) => ok,
    () => false
  )
  return isSandbox ? { EMAILSENDX_API_URL: url, EMAILSENDX_API_KEY: SANDBOX_KEY } : undefined
}
