import type { Outcome } from '../../../definitions/emailsendx/functions'
import type { Ack, Dead } from '../queue'
import { setAsidePause } from './backoff'
import type { Item } from './identity-links'
import { defer, emptyPlan, wait, waitsForContact } from './schedule'
import type { Call, Head, Rules } from './schedule'

/** What a call has come to, for the events and for the partition. */
export interface Effects {
  ack: Ack
  /** Something became of at least one event. */
  progress: boolean
  /** EmailSendX refuses the key. */
  suspended?: { status: 401 | 403; reason: string }
  /** Addresses that are no contacts. */
  missing: string[]
}

export interface PartitionState {
  /** Calls in a row, this one not counted, that came to nothing. */
  failures: number
  /** Last time a call came to something, ms since 1970. */
  succeededAt?: number
  /** This call was cut short by the limit of requests, which is nobody's failure. */
  limited: boolean
}

/** An event that fails alone this often in a row is set aside, so that the others get on. */
const TRIES_BEFORE_ASIDE = 5
/** One that has failed this often, while others got through, is given up. */
export const TRIES_IN_ALL = 12

/** Works out what the outcomes of the events of a call mean. */
export function effectsOf(
  { items }: Call,
  outcomes: Outcome[],
  head: Head,
  rules: Rules,
  { failures, succeededAt, limited }: PartitionState
): Effects {
  const next = emptyPlan()
  const delivered: Item[] = []
  const failed: Item[] = []
  const result: Effects = { ack: {}, progress: false, missing: [] }

  const die = (item: Item, reason: Dead['reason'], detail: string) => {
    next.dead.push({ ids: [item.id], reason, detail })
    next.requeueFirst.push(...item.keys)
  }

  /** The event itself is to blame. */
  const refuse = (item: Item, message: string) => {
    result.progress = true
    failed.push(item)
    die(item, 'refused', message)
  }

  /** Nothing became of the event, and nobody can say that it is to blame. */
  const tryAgain = (item: Item, message: string) => {
    if (limited) return
    failed.push(item)
    if (items.length > 1 || failures + 1 < TRIES_BEFORE_ASIDE) return
    const attempts = item.attempts + 1
    const othersGotThrough = succeededAt !== undefined && succeededAt > (item.firstFailedAt ?? Infinity)
    if (attempts >= TRIES_IN_ALL && othersGotThrough) die(item, 'gave_up', message)
    else next.deferred.push(defer(item, 'retry', rules.now + setAsidePause(attempts, TRIES_BEFORE_ASIDE)))
  }

  items.forEach((item, index) => {
    const outcome = outcomes[index]
    const { kind, message } = outcome
    switch (kind) {
      case 'delivered':
        delivered.push(item)
        break
      case 'invalid':
      case 'unaddressed':
        refuse(item, message)
        break
      case 'unknown_contact':
        result.progress = true
        failed.push(item)
        if (item.email !== undefined) result.missing.push(item.email)
        if (waitsForContact(item)) wait(item, 'contact', head, rules, next)
        else die(item, 'unknown_contact', message)
        break
      case 'misconfigured':
        // No event is to blame for a wrong address of the server. The list came with the event.
        if (outcome.setting === 'apiUrl') tryAgain(item, message)
        else refuse(item, message)
        break
      case 'unauthorized':
        result.suspended = { status: 401, reason: message }
        break
      case 'forbidden':
        result.suspended = { status: 403, reason: message }
        break
      case 'unknown_effect':
        if (rules.keepUnknownOutcomes) {
          failed.push(item)
          die(item, 'outcome_unknown', message)
        } else tryAgain(item, message)
        break
      case 'retry':
        tryAgain(item, message)
    }
  })

  result.progress ||= delivered.length > 0
  result.ack = {
    failed: failed.map(({ id }) => id),
    delivered: delivered.map(({ id }) => id),
    dead: together(next.dead),
    deferred: next.deferred,
    links: delivered.flatMap(({ links }) => links),
    fired: outcomes.flatMap(firedBy),
    requeue: [...new Set(delivered.flatMap(({ keys }) => keys))],
    requeueFirst: [...new Set(next.requeueFirst)],
    requeueIdentifies: next.requeueIdentifies
  }
  return result
}

/** The name of an event that was fired, and how many automations waited for it (documented as `matchingAutomations`). */
function firedBy(outcome: Outcome): NonNullable<Ack['fired']> {
  if (outcome.kind !== 'delivered' || typeof outcome.sent.name !== 'string') return []
  const { data } = outcome.answer
  const answer = typeof data === 'object' && data !== null && 'matchingAutomations' in data ? data : outcome.answer
  const { matchingAutomations } = answer as { matchingAutomations?: unknown }
  const matches = typeof matchingAutomations === 'number' ? matchingAutomations : undefined
  return [{ name: outcome.sent.name, matches }]
}

/** Dead letters of the same reason and detail become one entry. */
export function together(dead: Dead[]): Dead[] {
  const groups = new Map<string, Dead>()
  for (const { ids, reason, detail } of dead) {
    const group = groups.get(`${reason} ${detail}`)
    if (group) group.ids.push(...ids)
    else groups.set(`${reason} ${detail}`, { ids: [...ids], reason, detail })
  }
  return [...groups.values()]
}

/** The events that are no longer in the queue after an ack. */
export function goneWith({ delivered = [], dead = [], deferred = [] }: Ack): Set<number> {
  return new Set([...delivered, ...dead.flatMap(({ ids }) => ids), ...deferred.map(({ id }) => id)])
}
