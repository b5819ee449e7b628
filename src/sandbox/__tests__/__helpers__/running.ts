import { SANDBOX_KEY, startSandbox, type Sandbox, type SandboxOptions } from '../..'

const running: Sandbox[] = []

/** To be called in every `afterEach`: ends the sandboxes that a test started. */
export async function endSandboxes(): Promise<void> {
  await Promise.all(running.splice(0).map((sandbox) => sandbox.close()))
}

export interface Answer {
  status: number
  headers: Headers
  /** Parsed when it is JSON, else the text. Tests know its shape. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are what the test is about to look at
  body: any
}

export interface Call {
  method?: string
  /** Sent as JSON unless it is a string, which is sent as it is. */
  body?: unknown
  headers?: Record<string, string>
  /** The API key; null: none. Default: the sandbox key. */
  key?: string | null
}

/** A running sandbox on a free port, and a client of it. */
export async function start(options: SandboxOptions = {}) {
  const sandbox = await startSandbox({ port: 0, ...options })
  running.push(sandbox)

  const call = async (path: string, { body, method, headers, key = SANDBOX_KEY }: Call = {}): Promise<Answer> => {
    const response = await fetch(sandbox.url + path, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers
      },
      body: typeof body === 'string' || body === undefined ? body : JSON.stringify(body)
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') && text !== ''
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
  }

  const api = (path: string, options?: Call) => call(`/api/v1${path}`, options)
  const control = (path: string, options?: Call) => call(`/_sandbox${path}`, { key: null, ...options })

  return {
    ...sandbox,
    call,
    api,
    control,
    state: async () => (await control('/state')).body,
    /** @returns the contact's id */
    contact: async (email: string, rest: object = {}): Promise<string> =>
      (await api('/contacts', { body: { email, ...rest } })).body.data.id,
    /** @returns the key's secret */
    keyWith: async (...scopes: string[]): Promise<string> => (await control('/keys', { body: { scopes } })).body.key
  }
}
export type Running = Awaited<ReturnType<typeof start>>
