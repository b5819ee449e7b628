import { signal } from '@preact/signals'

/** Whether the local server answers. */
export const isLost = signal(false)

const PROBE_MS = 1_000
const returns = new Set<() => unknown>()

/** Calls back whenever the server, or what it serves, may have become another one. */
export const onReturn = (refresh: () => unknown): void => void returns.add(refresh)
export const refreshAll = (): void => returns.forEach((refresh) => refresh())

interface AskOptions {
  method?: string
  body?: unknown
  signal?: AbortSignal
  /** An API key, for where one is asked for. */
  key?: string
}

/**
 * Asks this page's own server.
 * @throws Error with the words of the server, or saying that it does not answer
 */
export async function ask<T>(path: string, options: AskOptions = {}) {
  const { method = 'GET', body, signal, key } = options
  const answer = await fetch(path, {
    method,
    signal,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(key !== undefined && { authorization: `Bearer ${key}` })
    },
    body: JSON.stringify(body)
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error
    noteLost()
    throw new Error('The local server does not answer.')
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(reasonIn(text) || `The local server answers ${answer.status}.`)
  const isJson = answer.headers.get('content-type')?.includes('json')
  return (isJson ? JSON.parse(text) : text) as T
}

/** The explanation in an error of this server: JSON, Express's page, or plain text. */
function reasonIn(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: unknown }
    return typeof error === 'string' ? error : text
  } catch {
    const page = new DOMParser().parseFromString(text, 'text/html')
    return (page.querySelector('pre') ?? page.body).textContent?.trim() ?? ''
  }
}

/** To be called on any sign that the server is gone. Says so, and tries until it is back. */
export function noteLost(): void {
  if (isLost.value) return
  isLost.value = true
  const probe = async () => {
    const isBack = await fetch('/tester/start').then(
      ({ ok }) => ok,
      () => false
    )
    if (!isBack) return void setTimeout(() => void probe(), PROBE_MS)
    isLost.value = false
    refreshAll()
  }
  setTimeout(() => void probe(), PROBE_MS)
}

/** Follows the announcements of changes on the port after this one. */
export function followChanges(): void {
  const { hostname, port } = location
  const connect = (pauseMs: number) => {
    let opened = false
    const socket = new WebSocket(`ws://${hostname}:${Number(port || 80) + 1}`)
    socket.onopen = () => (opened = true)
    socket.onmessage = refreshAll
    socket.onclose = () => {
      if (opened) void ask('/tester/start').catch(() => undefined)
      // A server may have been started without announcements; then there is little use in asking often.
      setTimeout(() => connect(Math.min(pauseMs * 2, 60_000)), opened ? 1_000 : pauseMs)
    }
  }
  connect(2_000)
}
