import { effect, signal } from '@preact/signals'
import { start } from './definition'
import { ask } from './server'

/** A lane: what was sent to the bridge with one API key. Times are in ms. */
export interface Lane {
  lane: string
  events: number
  held: number
  deadLetters: number
  delivered?: number
  proven: boolean
  parked?: { since: number; reason: string; nextTryAt: number }
}

export interface DeadLetter {
  id: number
  lane: string
  messageId: string
  type: 'identify' | 'track' | 'rejected'
  reason: string
  detail: string
  attempts: number
  diedAt: number
}

export const bridge = signal<{ lanes: Lane[]; deadLetters: DeadLetter[] } | undefined>(undefined)
export const bridgeTrouble = signal('')

const EVERY_MS = 2_000

export async function lookIntoBridge(): Promise<void> {
  try {
    const [{ lanes }, { deadLetters }] = await Promise.all([
      ask<{ lanes: Lane[] }>('/tester/bridge/lanes'),
      ask<{ deadLetters: DeadLetter[] }>('/tester/bridge/dead-letters')
    ])
    bridge.value = { lanes, deadLetters }
    bridgeTrouble.value = ''
  } catch (error) {
    bridgeTrouble.value = error instanceof Error ? error.message : String(error)
  }
}

/** Looks every two seconds: the bridge announces nothing. */
export function watchBridge(): void {
  effect(() => {
    if (!start.value?.bridge) return
    void lookIntoBridge()
    const timer = setInterval(() => document.hidden || void lookIntoBridge(), EVERY_MS)
    return () => clearInterval(timer)
  })
}

export async function retryDeadLetter(id: number): Promise<void> {
  try {
    await ask(`/tester/bridge/dead-letters/${id}/retry`, { method: 'POST', body: {} })
    await lookIntoBridge()
  } catch (error) {
    bridgeTrouble.value = error instanceof Error ? error.message : String(error)
  }
}
