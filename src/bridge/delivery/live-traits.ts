import { isObject } from '../../http/json'
import { emailKey } from '../queue/keys'
import type { Item } from './identity-links'

/** More names than anybody gives traits: from there on all of them count as set. */
const MAX_NAMES = 500
const ALL = '*'

/** EmailSendX knows one field by both spellings. */
const SPELLINGS: Record<string, string | undefined> = { first_name: 'firstName', last_name: 'lastName' }

/** Names of traits that live identifies have set, by the key of the address. */
export type LiveTraits = ReadonlyMap<string, string[]>

/**
 * An identify of a replay without what live identifies have set: whatever the history says of it is older. Neither does it
 * change whose an id is that they have told of. Anything else is left as it is.
 * @param linked the ids that are known, by their keys
 */
export function withoutLive(item: Item, live: LiveTraits, linked: ReadonlyMap<string, string>): Item {
  const { event, email } = item
  if (!event.options.isHistory || event.type !== 'identify' || email === undefined) return item
  const names = new Set(live.get(emailKey(email)))
  const links = item.links.filter(({ key }) => !linked.has(key))
  const traits = Object.entries(traitsOf(item)).filter(([name]) => name === 'email' || !isSet(name, names))
  return { ...item, links, event: { ...event, event: { ...event.event, traits: Object.fromEntries(traits) } } }
}

/** What these identifies have set that was not known yet. */
export function newTraits(items: Item[], live: LiveTraits): { key: string; names: string[] }[] {
  const all = new Map<string, Set<string>>()
  for (const item of items) {
    if (item.event.type !== 'identify' || item.event.options.isHistory || item.email === undefined) continue
    const key = emailKey(item.email)
    const names = all.get(key) ?? new Set(live.get(key))
    for (const name of namesSetBy(item)) names.add(name)
    all.set(key, names)
  }
  return [...all]
    .filter(([key, names]) => names.size > (live.get(key)?.length ?? 0) && !live.get(key)?.includes(ALL))
    .map(([key, names]) => ({ key, names: names.size > MAX_NAMES ? [ALL] : [...names] }))
}

/** A trait that contains others becomes several: `address_` stands for all of `address`. */
function namesSetBy(item: Item): string[] {
  return Object.entries(traitsOf(item))
    .filter(([name, value]) => name !== 'email' && value !== null && value !== undefined && value !== '')
    .map(([name, value]) => (isObject(value) ? `${name}_` : SPELLINGS[name] ?? name))
}

function isSet(name: string, names: ReadonlySet<string>): boolean {
  if (names.has(SPELLINGS[name] ?? name) || names.has(ALL)) return true
  for (let at = name.indexOf('_'); at >= 0; at = name.indexOf('_', at + 1)) {
    if (names.has(name.slice(0, at + 1))) return true
  }
  return false
}

function traitsOf({ event }: Item): Record<string, unknown> {
  return isObject(event.event.traits) ? event.event.traits : {}
}
