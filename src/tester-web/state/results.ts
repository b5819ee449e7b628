import { computed, effect, signal } from '@preact/signals'
import type { EventStatus } from '../../serve/contract/errors'
import type { Exchange } from '../../serve/contract/exchanges'
import type { Plan } from '../../serve/tester/plan'
import type { Event } from '../model/events'
import { messageOf } from '../model/words'
import { faultInForce } from './faults'
import { asBatch, asFromSegment, effective, mappingTrouble, reading, triggers } from './inputs'
import { ask } from './server'
import { kept } from './storage'

/** One press of *Send*. */
export interface Sending {
  id: string
  at: number
  events: Event[]
  rows: Row[]
  exchanges: Exchange[]
  /** Calls of actions: all, and those that are answered. */
  calls: number
  done: number
  /** How long until the last answer, in ms. */
  took?: number
  /** Why it ended before its end: it could not begin, or the person stopped it. */
  ended?: string
}

/** What became of one event at one action; without an action no preset takes it. */
export interface Row {
  /** Position among the events. */
  event: number
  action?: string
  /** Absent until the answer is here. */
  result?: EventStatus
}

/** Older ones are forgotten. */
const KEPT = 30
/** What a browser gives a page to keep is a few MB. */
const MAX_KEPT_CHARACTERS = 2_000_000

const history = kept<Sending>('history', MAX_KEPT_CHARACTERS)
/** Newest first; across reloads, in this browser only. They hold no settings, and so no key. */
export const sendings = signal<Sending[]>(
  history
    .read()
    .map((sending) => (sending.done < sending.calls ? { ...sending, ended: 'The page was closed.' } : sending))
)

/** Whether something is on its way, and where in it: `stop` ends it after the call that is under way. */
export const underWay = computed(() =>
  sendings.value.find(({ done, calls, ended }) => done < calls && ended === undefined)
)
// A long sending is not written down after each of its calls.
effect(() => {
  if (!underWay.value) history.write(sendings.value)
})
addEventListener('pagehide', () => history.write(sendings.value))

const isPreparing = signal(false)
export const canSend = computed(
  () => !reading.value.mistake && !isPreparing.value && !underWay.value && mappingTrouble.value === undefined
)

export const isSending = computed(() => isPreparing.value || underWay.value !== undefined)

/** Sends what is in the editor. */
export async function send(): Promise<void> {
  if (canSend.value && !reading.value.mistake) await sendEvents(reading.value.events, reading.value.isBatch)
}

/** Sends events with the settings and mappings of now, one call after the other, as Segment would. */
export async function sendEvents(given: Event[], isBatch = given.length > 1): Promise<void> {
  if (isSending.value || mappingTrouble.value !== undefined) return
  isPreparing.value = true
  await faultInForce()
  const events = given.map(asFromSegment)
  const id = crypto.randomUUID()
  const { settings, mappings } = effective.value
  try {
    const { matches, calls } = await ask<Plan>('/tester/plan', {
      method: 'POST',
      body: { events, triggers: triggers.value, batch: isBatch && asBatch.value }
    })
    const untaken = matches.flatMap((match, event) =>
      Object.values(match).some(({ takes }) => takes) ? [] : [{ event }]
    )
    const rows = calls.flatMap(({ action, events }) => events.map((event) => ({ event, action })))
    add({ id, events, rows: [...untaken, ...rows], calls: calls.length })
    isPreparing.value = false

    const startedAt = Date.now()
    for (const { action, subscribe, events: positions, batch } of calls) {
      if (find(id)?.ended !== undefined) return
      const own = positions.map((event) => events[event])
      const answer = await ask<{ exchanges: Exchange[]; multistatus: EventStatus[] }>(`/tester/send/${action}`, {
        method: 'POST',
        body: { payload: batch ? own : own[0], settings, mapping: mappings[action] ?? {}, subscribe }
      }).catch((error: unknown) => ({ exchanges: [], multistatus: own.map(() => unanswered(error)) }))
      change(id, (sending) => ({
        ...sending,
        rows: sending.rows.map((row) => {
          const at = row.action === action && !row.result ? positions.indexOf(row.event) : -1
          return at < 0 ? row : { ...row, result: answer.multistatus[at] }
        }),
        exchanges: [...sending.exchanges, ...answer.exchanges],
        done: sending.done + 1,
        took: Date.now() - startedAt
      }))
    }
  } catch (error) {
    add({ id, events, rows: [], calls: 0, ended: `Not sent: ${messageOf(error)}` })
  } finally {
    isPreparing.value = false
  }
}

/** The page's server went away in mid-call: whether EmailSendX was asked, nobody can tell. */
const unanswered = (error: unknown): EventStatus => ({
  status: 504,
  outcome: { kind: 'unknown_effect', message: `${messageOf(error)} EmailSendX may have been asked all the same.` }
})

export function stop(): void {
  const { value } = underWay
  if (value) change(value.id, (sending) => ({ ...sending, ended: 'Stopped.' }))
}

export const forget = (id: string): void => void (sendings.value = sendings.value.filter((one) => one.id !== id))
export const forgetAll = (): void => void (sendings.value = [])

function add(sending: Pick<Sending, 'id' | 'events' | 'rows' | 'calls' | 'ended'>): void {
  const others = sendings.value.filter(({ id }) => id !== sending.id)
  sendings.value = [{ at: Date.now(), exchanges: [], done: 0, ...sending }, ...others].slice(0, KEPT)
}

const find = (id: string): Sending | undefined => sendings.value.find((one) => one.id === id)

function change(id: string, to: (sending: Sending) => Sending): void {
  sendings.value = sendings.value.map((one) => (one.id === id ? to(one) : one))
}
