import type { Dead, Ack } from '../queue'
import { defer, wait, waitsForContact } from './schedule'
import type { Call, Head, Plan, Rules } from './schedule'
import type { Verdict } from './outcome'
import { setAsidePause } from './backoff'
import type { Item } from './identity-links'

/** What a call has come to, for the events and for the partition. */
export interface Effects {
  ack: Ack
  /** Something became of at least one event. */
  progress: boolean
  /** EmailSendX refuses the key. */
  suspended?: { status: 401 | 403; reason: string }
  /** Why nothing became of an event, for logs: EmailSendX's status is all they may carry. */
  tally: Record<Verdict['is'], number>
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
const TRIES_IN_ALL = 12

/** Works out what the verdicts on the events of a call mean. */
export function effectsOf(
  { items }: Call,
  verdicts: Verdict[],
  head: Head,
  rules: Rules,
  { failures, succeededAt, limited }: PartitionState
): Effects {
  const next: Plan = { deferred: [], dead: [], links: [], requeueFirst: [], requeueIdentifies: [] }
  const delivered: Item[] = []
  const failed: Item[] = []
  const result: Effects = { ack: {}, progress: false, tally: emptyTally(), missing: [] }

  const die = (item: Item, reason: Dead['reason'], detail: string) => {
    next.dead.push({ ids: [item.id], reason, detail })
    next.requeueFirst.push(...item.keys)
  }

  items.forEach((item, index) => {
    const verdict = verdicts[index]
    result.tally[verdict.is]++
    if (verdict.is === 'key refused') {
      result.suspended = { status: verdict.status, reason: verdict.words }
      return
    }
    if (verdict.is === 'delivered') {
      delivered.push(item)
      return
    }
    if (verdict.is === 'failed' && limited) return
    failed.push(item)
    if (verdict.is === 'refused') {
      die(item, 'refused', verdict.words)
    } else if (verdict.is === 'unknown contact') {
      if (item.email !== undefined) result.missing.push(item.email)
      if (waitsForContact(item)) wait(item, 'contact', head, rules, next)
      else die(item, 'unknown_contact', 'EmailSendX has no contact with this email address.')
    } else if (verdict.is === 'unknown outcome' && rules.keepUnknownOutcomes) {
      die(item, 'outcome_unknown', verdict.words)
    } else if (items.length === 1 && failures + 1 >= TRIES_BEFORE_ASIDE) {
      const attempts = item.attempts + 1
      const othersGotThrough = succeededAt !== undefined && succeededAt > (item.firstFailedAt ?? Infinity)
      if (attempts >= TRIES_IN_ALL && othersGotThrough) die(item, 'gave_up', verdict.words)
      else next.deferred.push(defer(item, 'retry', rules.now + setAsidePause(attempts, TRIES_BEFORE_ASIDE)))
    }
  })

  const { tally } = result
  result.progress = delivered.length > 0 || tally.refused > 0 || tally['unknown contact'] > 0
  result.ack = {
    failed: failed.map(({ id }) => id),
    delivered: delivered.map(({ id }) => id),
    dead: together(next.dead),
    deferred: next.deferred,
    links: delivered.flatMap(({ links }) => links),
    requeue: [...new Set(delivered.flatMap(({ keys }) => keys))],
    requeueFirst: [...new Set(next.requeueFirst)],
    requeueIdentifies: next.requeueIdentifies
  }
  return result
}

/** Those who died of the same thing in one entry. */
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

function emptyTally(): Effects['tally'] {
  return {
    delivered: 0,
    refused: 0,
    'unknown contact': 0,
    failed: 0,
    'unknown outcome': 0,
    'key refused': 0
  }
}
