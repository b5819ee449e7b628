import destination from '../../definitions/emailsendx'
import { forgetContacts } from '../../definitions/emailsendx/functions'
import { startSandbox, SANDBOX_KEY } from '../../src/sandbox'
import type { SandboxOptions } from '../../src/sandbox'
import { buildApp } from '../../src/serve/app'

interface EventStatus {
  status: number
  errortype?: string
  errormessage?: string
}

interface ContactState {
  contact: { firstName?: string; lastName?: string; status: string; metadata: object }
  lists: { id: string }[]
  events: { name: string; data: unknown }[]
  automationRuns: { automationName: string }[]
}

interface State {
  totals: Record<string, number>
  requests: { route: string; count: number }[]
}

/** Client → serve → destination → sandbox, over real HTTP. */
export async function startStack(options: SandboxOptions = {}) {
  const sandbox = await startSandbox({ port: 0, ...options })
  const app = buildApp({ definition: destination, directoryName: 'emailsendx', ui: false, bodyLimit: 10_000_000 })
  const serve = await app.listen({ port: 0 })
  const control = `${sandbox.url}/_sandbox`
  const settings = { apiKey: SANDBOX_KEY, apiUrl: sandbox.url }

  const stack = {
    /** Back to how it started, the destination's memory too. */
    async reset() {
      forgetContacts()
      await call('POST', `${control}/reset`)
    },
    /** The results of one event, or of several in a batch. */
    async send(
      action: 'identifyContact' | 'trackEvent',
      payload: object,
      more: { settings?: object; mapping?: object } = {}
    ): Promise<EventStatus[]> {
      const body = { payload, mapping: more.mapping, settings: { ...settings, ...more.settings } }
      const answer = await call<{ multistatus: EventStatus[] }>('POST', `${serve}/${action}?multistatus=true`, body)
      return answer.multistatus
    },
    authenticate: (more: object = {}) =>
      call<{ ok: boolean; error?: string }>('POST', `${serve}/authenticate`, { ...settings, ...more }),
    /** The next matching request goes wrong. */
    fault: (fault: object) => call('POST', `${control}/faults`, fault),
    async changeKey(change: object) {
      const { keys } = await call<{ keys: { id: string }[] }>('GET', `${control}/keys`)
      await call('PATCH', `${control}/keys/${keys[0].id}`, change)
    },
    contact: (email: string) => call<ContactState>('GET', `${control}/state?email=${encodeURIComponent(email)}`),
    setStatus: (email: string, status: string) =>
      call('PATCH', `${control}/contacts?email=${encodeURIComponent(email)}`, { status }),
    state: () => call<State>('GET', `${control}/state`),
    async stop() {
      await app.close()
      await sandbox.close()
    }
  }
  await stack.reset()
  return stack
}

export type Stack = Awaited<ReturnType<typeof startStack>>

async function call<Answer>(method: string, url: string, body?: object): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: body && { 'content-type': 'application/json' },
    body: body && JSON.stringify(body)
  })
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`)
  return (response.status === 204 ? undefined : await response.json()) as Answer
}
