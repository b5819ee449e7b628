import { computed, effect, signal } from '@preact/signals'
import type { state } from '../../sandbox/inspect/state'
import { messageOf } from '../model/words'
import { start } from './definition'
import { settings } from './inputs'
import { ask, isLost, onReturn } from './server'

/** What the sandbox tells of itself, and when it was asked, by this machine's clock, in ms. */
export type SandboxState = ReturnType<typeof state> & { lookedAt: number }
export type Contact = SandboxState['contacts'][number]
export type ContactEvent = SandboxState['events'][number]

export const sandbox = signal<SandboxState | undefined>(undefined)
/** Why the sandbox cannot be looked into just now. */
export const sandboxTrouble = signal('')

/** Where events go: the setting, without its trailing slash, or the destination's default. */
export const apiUrl = computed(
  () => (settings.value.apiUrl ?? '').trim().replace(/\/+$/, '') || 'https://emailsendx.com'
)
/** Events go to the sandbox that the page can look into. */
export const goesToSandbox = computed(() => sameServer(apiUrl.value, start.value?.sandbox))

function sameServer(one: string, other: string | undefined): boolean {
  const origin = (address: string) => new URL(address.replace('//localhost', '//127.0.0.1')).origin
  return other !== undefined && URL.canParse(one) && origin(one) === origin(other)
}

/** The key in the settings, as the sandbox knows it. It shows no more than the beginning of a key. */
export const currentKey = computed(() =>
  sandbox.value?.keys.find(({ key }) => settings.value.apiKey?.trim().startsWith(key.replace('…', '')))
)

/** A server that is going away may leave a request without any answer. */
const TIMEOUT_MS = 5_000

/** What the contacts are searched for, in the sandbox: it shows no more than 100 at once. */
export const contactSearch = signal('')

let isAsking = false
let isAskedAgain = false

/** Reads the state anew; calls that come while one is under way become one more. */
export async function lookIntoSandbox(): Promise<void> {
  if (isAsking) return void (isAskedAgain = true)
  isAsking = true
  try {
    const lookedAt = Date.now()
    const path = `/tester/sandbox/state?${new URLSearchParams({ search: contactSearch.peek() }).toString()}`
    const state = await ask<SandboxState>(path, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    sandbox.value = { ...state, lookedAt }
    sandboxTrouble.value = ''
  } catch (error) {
    sandboxTrouble.value = messageOf(error)
  }
  isAsking = false
  if (!isAskedAgain) return
  isAskedAgain = false
  await lookIntoSandbox()
}

const STREAMED = ['contact', 'list', 'membership', 'event', 'automation-run', 'request', 'reset']
const RECONNECT_MS = 1_000
/** Requests leave the rate window without anything happening, and a stream may fall silent without a word. */
const LOOK_MS = 5_000

/** Looks whenever something happens in the sandbox, for as long as the page is open. */
export function watchSandbox(): void {
  let stream: EventSource | undefined
  const open = () => {
    stream?.close()
    if (!start.peek()?.sandbox || isLost.peek()) return
    const opened = (stream = new EventSource('/tester/sandbox/stream'))
    // What happened before the stream was open is in the state.
    opened.onopen = () => void lookIntoSandbox()
    opened.onerror = () => {
      if (opened !== stream) return
      opened.close()
      void lookIntoSandbox()
      setTimeout(() => opened === stream && open(), RECONNECT_MS)
    }
    for (const name of STREAMED) opened.addEventListener(name, () => void lookIntoSandbox())
  }
  onReturn(open)
  effect(() => {
    if (start.value?.sandbox) open()
  })
  setInterval(() => {
    if (!document.hidden && start.peek()?.sandbox && !isLost.peek()) void lookIntoSandbox()
  }, LOOK_MS)
}

/** Empties the sandbox. */
export async function resetSandbox(): Promise<void> {
  await ask('/tester/sandbox/reset', { method: 'POST', body: {} }).catch(() => lookIntoSandbox())
}
