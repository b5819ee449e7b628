import isEqual from 'lodash/isEqual'
import type { Dead, Block, Deferral, DeferReason, BlockedKey } from '../queue'
import type { Item } from './identity-links'

/** The head of a partition, with what is known about the users in it. */
export interface Head {
  /** In the order of arrival. */
  items: Item[]
  /** There is nothing behind them. */
  complete: boolean
  /** Arrival of the last event that was read, ms since 1970: of those up to it, none is out of sight. */
  readUpTo: number
  /** What of their users is blocked by deferred events. */
  blocked: BlockedKey[]
}

export interface Rules {
  /** ms since 1970. */
  now: number
  /** How long an event waits for its email or its contact, from its arrival. */
  waitMs: number
  /** Contacts in one call at most. */
  maxContacts: number
  /** Tracks sent since the last identify call: every so often it is the identifies' turn, however few they are. */
  tracksInARow: number
  /** Events that may have been fired already are not fired again. */
  keepUnknownOutcomes: boolean
  /** EmailSendX has only just said that it has no contact with this address. */
  isMissing(email: string): boolean
}

/** What to do next in a partition: first write down what is decided without a call, then make the call. */
export interface Plan {
  deferred: Deferral[]
  dead: Dead[]
  /** Ids whose email has become known. Then plan again. */
  links: Item['links']
  /** Users who lost an event to the dead letters: their next deferred event may have waited for nothing else. */
  requeueFirst: string[]
  /** Identifies deferred for these users go first: the email they waited for has come, or an event waits for them. Then plan again. */
  requeueIdentifies: string[]
  call?: Call
}

export function emptyPlan(): Plan {
  return { deferred: [], dead: [], links: [], requeueFirst: [], requeueIdentifies: [] }
}

/** One call of the destination: many identifies with the same options, or one track. */
export interface Call {
  type: 'identify' | 'track'
  items: Item[]
}

/** As many identifies as this are sent before any track, fewer take their turn after some tracks. */
const MANY_IDENTIFIES = 100
const TRACKS_A_TURN = 4

/** How soon to look again at an event whose time is over while its identify may still be behind it. */
const LOOK_AGAIN_MS = 60_000
/** How soon to look again at an event that should have been put back when the one before it was done. */
const TURN_MS = 60 * 60 * 1000

const INTERRUPTED =
  'The bridge was interrupted while it fired this event, so EmailSendX may or may not have got it. Retry it to send it again.'
const NOBODYS = 'The event has no email, userId or anonymousId, so nobody can tell whose it is.'
const UNKNOWN_EMAIL =
  'No identify() told the email of this userId or anonymousId in time. Send one with an email, then retry the event.'
const UNKNOWN_CONTACT = 'EmailSendX has no contact with this email address, and none was created in time.'

/**
 * Decides the next step of a partition. Events of different users pass each other freely; those of one user keep their order,
 * except that an identify passes the tracks that are waiting for it.
 */
export function plan(head: Head, rules: Rules): Plan {
  const { identifies, track, unresolved, ...next } = walk(head, rules)
  const identifiesTurn = identifies.length >= MANY_IDENTIFIES || rules.tracksInARow >= TRACKS_A_TURN || !track
  if (identifies.length > 0 && identifiesTurn) {
    next.call = { type: 'identify', items: identifies }
  } else if (track) {
    next.call = { type: 'track', items: [track] }
  }
  // What nobody in sight can resolve steps aside. While there are identifies to be sent, it may still be one of them.
  if (identifies.length === 0) {
    for (const item of unresolved) wait(item, 'email', head, rules, next)
  }
  return next
}

/**
 * Sets an event aside until its email or contact is known, or gives it up: once its time is over, everything that arrived
 * within its time has been looked at, and no identify of its user is still to be sent. In a partition that lags behind,
 * that is later than by the clock.
 */
export function wait(item: Item, what: 'email' | 'contact', head: Head, rules: Rules, into: Plan): void {
  const { now, waitMs } = rules
  const deadline = item.arrivedAt + waitMs
  if (item.keys.length === 0) {
    into.dead.push({ ids: [item.id], reason: 'unknown_email', detail: NOBODYS })
  } else if (now >= deadline && (head.complete || head.readUpTo >= deadline) && !hasIdentifyBehind(item, head)) {
    const [reason, detail] =
      what === 'email' ? (['unknown_email', UNKNOWN_EMAIL] as const) : (['unknown_contact', UNKNOWN_CONTACT] as const)
    into.dead.push({ ids: [item.id], reason, detail })
    into.requeueFirst.push(...item.keys)
  } else {
    // A contact may also be created by others than this partition, so it is asked for once more before the end.
    const half = what === 'contact' && now < item.arrivedAt + waitMs / 4 ? waitMs / 4 : waitMs
    // A time too far away is of a clock that has been set back since the event arrived.
    const until = now < deadline ? Math.min(item.arrivedAt + half, now + waitMs) : now + LOOK_AGAIN_MS
    into.deferred.push(defer(item, what, until))
    // One that failed before may have kept back the very identify it now waits for.
    if (what === 'contact') into.requeueIdentifies.push(...item.keys)
  }
}

/** An identify of the same user, with an address, waits for its turn behind the event: in sight, or kept back by it. */
function hasIdentifyBehind(item: Item, head: Head): boolean {
  const keys = new Set(item.keys)
  return (
    head.items.some(
      ({ id, event, email, keys: others }) =>
        id > item.id && event.type === 'identify' && email !== undefined && others.some((key) => keys.has(key))
    ) || head.blocked.some(({ key, blocks, first }) => blocks === 'all' && first > item.id && keys.has(key))
  )
}

interface Walk extends Plan {
  identifies: Item[]
  track?: Item
  unresolved: Item[]
}

function walk(head: Head, rules: Rules): Walk {
  const result: Walk = { ...emptyPlan(), identifies: [], unresolved: [] }
  const isBlocked = blockedBy(head.blocked)

  /** Users of whom an event stays behind that nothing may pass. */
  const queuing = new Users()
  /** Users with an identify in the call. */
  const called = new Users()
  /** Users of whom an event waits for what an identify brings: identifies may pass it. */
  const waiting = new Users()

  const addresses = new Set<string>()
  const fits = (item: Item, email: string) =>
    result.identifies.length === 0 ||
    (isEqual(item.event.options, result.identifies[0].event.options) &&
      (addresses.has(email) || addresses.size < rules.maxContacts))

  for (const item of head.items) {
    const { email } = item
    const { emailProblem } = item.event
    result.links.push(...item.seenLinks)
    if (emailProblem !== undefined) {
      result.dead.push({ ids: [item.id], reason: 'refused', detail: emailProblem })
    } else if (item.event.type === 'identify') {
      if (isBlocked(item, 'all')) {
        result.deferred.push(defer(item, 'turn', rules.now + TURN_MS))
        queuing.add(item)
      } else if (queuing.has(item)) {
        queuing.add(item)
      } else if (email === undefined) {
        result.unresolved.push(item)
        waiting.add(item)
      } else if (isBlocked(item, 'identify')) {
        result.requeueIdentifies.push(...item.keys)
        queuing.add(item)
      } else if (fits(item, email)) {
        result.identifies.push(item)
        addresses.add(email)
        called.add(item)
      } else {
        queuing.add(item)
      }
    } else if (item.firing && rules.keepUnknownOutcomes) {
      result.dead.push({ ids: [item.id], reason: 'outcome_unknown', detail: INTERRUPTED })
      result.requeueFirst.push(...item.keys)
    } else if (isBlocked(item, 'track', 'identify', 'all')) {
      // What fails before it may be the very identify that tells its email.
      if (email === undefined && !isBlocked(item, 'all')) wait(item, 'email', head, rules, result)
      else result.deferred.push(defer(item, 'turn', rules.now + TURN_MS))
      waiting.add(item)
    } else if (queuing.has(item) || called.has(item)) {
      queuing.add(item)
    } else if (email === undefined) {
      result.unresolved.push(item)
      waiting.add(item)
    } else if (waiting.has(item)) {
      waiting.add(item)
    } else if (waitsForContact(item) && rules.isMissing(email)) {
      wait(item, 'contact', head, rules, result)
      waiting.add(item)
    } else {
      result.track ??= item
      queuing.add(item)
    }
  }
  return result
}

/** The event's options say what is to happen when there is no contact with its address. */
export function waitsForContact({ event }: Item): boolean {
  return (event.options.unknownContact ?? 'wait') === 'wait'
}

/** Sets of users, each known by several keys. */
class Users {
  private readonly keys = new Set<string>()

  add(item: Item): void {
    for (const key of item.keys) this.keys.add(key)
  }

  has(item: Item): boolean {
    return item.keys.some((key) => this.keys.has(key))
  }
}

/** Tells whether something that arrived before an event, and is deferred, keeps back what comes behind it. */
function blockedBy(blocked: BlockedKey[]): (item: Item, ...blocks: Block[]) => boolean {
  const first = {
    track: new Map<string, number>(),
    identify: new Map<string, number>(),
    all: new Map<string, number>()
  }
  for (const { key, blocks, first: id } of blocked) first[blocks].set(key, Math.min(id, first[blocks].get(key) ?? id))
  return (item, ...blocks) =>
    blocks.some(
      (blocks) => first[blocks].size > 0 && item.keys.some((key) => (first[blocks].get(key) ?? Infinity) < item.id)
    )
}

/** What keeps failing keeps back everything of its user; what waits for an identify lets identifies pass. */
export function defer(item: Item, why: DeferReason, until: number): Deferral {
  const isIdentify = item.event.type === 'identify'
  const blocks: Block = why === 'retry' || (isIdentify && why === 'turn') ? 'all' : isIdentify ? 'identify' : 'track'
  return { id: item.id, for: why, until, keys: item.keys, blocks }
}
