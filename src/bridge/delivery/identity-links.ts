import { anonymousKey, emailKey, userKey } from '../queue/keys'
import type { QueuedEvent } from '../queue'

/** An event of a partition with whose it is, as far as that is known. */
export interface Item extends QueuedEvent {
  /** The address it will be delivered with. */
  email?: string
  /** Everything its user goes by: two events with a key in common are of one user, and keep their order. */
  keys: string[]
  /** What a delivery of it links: from then on these keys stand for the address. */
  links: IdentityLink[]
  /** What it shows without a delivery: an id so far unknown is seen with a user whose contact is there already. */
  seenLinks: IdentityLink[]
}

interface IdentityLink {
  key: string
  email: string
  /** When what tells it arrived, ms since 1970. */
  seenAt: number
}

/** Keys of the ids that may stand for an address, to be asked for. */
export function idKeysOf(events: QueuedEvent[]): string[] {
  return [...new Set(events.flatMap(idKeys))]
}

/**
 * Finds out whose each event is. The event's own address wins (but one that is just its
 * userId does not), then that of its userId, then that of its anonymousId, as
 * identifies before it have told; for an identify without any, as the next one behind it tells.
 * @param events in the order of arrival
 * @param known what the partition knows of the ids' keys from what was delivered earlier
 */
export function recognise(events: QueuedEvent[], known: Map<string, string>): Item[] {
  const emails = new Map(known)
  const items = events.map((event) => recogniseOne(event, emails, known))

  const coming = new Map<string, string>()
  for (const item of items.reverse()) {
    if (item.event.type !== 'identify') continue
    const ids = idKeys(item)
    item.email ??= ids.map((key) => coming.get(key)).find((email) => email !== undefined)
    if (item.email === undefined) continue
    const email = item.email
    item.keys = [...ids, emailKey(email)]
    for (const key of ids) coming.set(key, email)
  }
  return items.reverse()
}

function recogniseOne(queued: QueuedEvent, emails: Map<string, string>, known: Map<string, string>): Item {
  const { type, email: given, emailIsUserId, userId, anonymousId } = queued.event
  const ids = idKeys(queued)
  const ofUser = userId === undefined ? undefined : emails.get(userKey(userId))
  const ofDevice = anonymousId === undefined ? undefined : emails.get(anonymousKey(anonymousId))
  // A userId that looks like an address may be the one its user had long ago.
  const email = (emailIsUserId ? ofUser ?? given : given) ?? ofUser ?? ofDevice

  // A track links no address of its own: it may be somebody else's, of a friend invited, say. But one that names both
  // ids says that they are the same user's.
  const linked = type === 'identify' ? email : ofUser
  const links = linked === undefined ? [] : ids.map((key) => ({ key, email: linked, seenAt: queued.arrivedAt }))
  const isNews = ids.some((key) => emails.get(key) !== linked || known.get(key) !== linked)
  const isThere = userId !== undefined && ofUser !== undefined && known.get(userKey(userId)) === ofUser
  const seenLinks = isThere ? links.filter(({ key }) => emails.get(key) === undefined) : []
  for (const { key, email } of links) emails.set(key, email)
  return {
    ...queued,
    email,
    keys: email === undefined ? ids : [...ids, emailKey(email)],
    links: isNews ? links : [],
    seenLinks
  }
}

function idKeys({ event: { userId, anonymousId } }: QueuedEvent): string[] {
  const keys: string[] = []
  if (userId !== undefined) keys.push(userKey(userId))
  if (anonymousId !== undefined) keys.push(anonymousKey(anonymousId))
  return keys
}
