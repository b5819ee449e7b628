import { toEmail } from '../../../definitions/emailsendx/address'
import { anonymousKey, emailKey, storableId, userKey } from './keys'

/** Whom a request to forget somebody names. */
export interface PersonFilter {
  email?: string
  userId?: string
}

/** Everything a partition knows somebody by. */
export interface Person {
  /** In lower case. */
  emails: string[]
  userIds: string[]
  /** Keys of their ids and addresses (see keys.ts). */
  keys: string[]
}

export function toPerson({ email, userId }: PersonFilter): Person {
  const emails = email === undefined ? [] : [email.trim().toLowerCase()]
  const userIds = userId === undefined ? [] : spellings(userId.trim())
  return { emails, userIds, keys: [...emails.map(emailKey), ...userIds.map(userKey)] }
}

/** Whom a request to delete somebody names; undefined for what is no such request, or names nobody. */
export function toBeDeleted(content: unknown): Person | undefined {
  if (!isDeleteRequest(content)) return undefined
  const { userId, anonymousId, email, traits } = content as Record<string, unknown>
  const userIds = spellings(textOf(userId))
  const anonymousIds = spellings(textOf(anonymousId))
  const addresses = [...userIds, textOf(email), textOf((traits as { email?: unknown } | null | undefined)?.email)]
  const emails = addresses.flatMap((address) => toEmail(address) ?? [])
  const keys = [...emails.map(emailKey), ...userIds.map(userKey), ...anonymousIds.map(anonymousKey)]
  return keys.length === 0 ? undefined : { emails, userIds, keys }
}

export function isDeleteRequest(content: unknown): boolean {
  return textOf((content as { type?: unknown } | null | undefined)?.type).toLowerCase() === 'delete'
}

/** An id as it was sent and as the queue knows it; none for an empty one. */
function spellings(id: string): string[] {
  return id === '' ? [] : [...new Set([id, storableId(id)])]
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : ''
}

/** Names that ids go by in what senders send. */
const ID_NAMES = new Set(['userid', 'anonymousid', 'previousid'])

/** Whether something that was received, an event or what is none, names the person by an id, or has an address of theirs in it. */
export function concerns({ emails, userIds, keys }: Person, content: unknown): boolean {
  const known = new Set(keys)
  const search = (value: unknown, name = ''): boolean => {
    if (typeof value === 'object' && value !== null) {
      return Object.entries(value).some(([key, inner]) => mentions(key) || search(inner, key))
    }
    if (typeof value !== 'string' && typeof value !== 'number') return false
    const text = String(value).trim()
    const isId = ID_NAMES.has(name.replace(/[_\s-]/g, '').toLowerCase())
    if (isId && (userIds.includes(text) || known.has(userKey(text)) || known.has(anonymousKey(text)))) return true
    return mentions(text)
  }
  const mentions = (text: string) => emails.some((email) => text.toLowerCase().includes(email))
  return search(content)
}
