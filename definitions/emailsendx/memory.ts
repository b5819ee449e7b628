import { LRUCache } from 'lru-cache'
import { MAX_REMEMBERED_CONTACTS, MAX_REMEMBERED_USERS, MISSING_ENDPOINT_MS } from './constants'
import type { Settings } from './generated-types'

/*
 * What this process remembers. It saves requests and is never relied on: Segment runs many processes, and ends them at will.
 */

/** Ids of contacts by email. An id never changes; that of a deleted contact is found out by a 404. */
export interface ContactIds {
  get(email: string): string | undefined | Promise<string | undefined>
  set(email: string, id: string): void | Promise<void>
  delete(email: string): void | Promise<void>
}

/** What a call says of who made it, in Segment's words. */
export interface Ids {
  userId?: string
  anonymousId?: string
}

/** Without ids that are blank: many senders may give the same one, and mean nobody. */
function present({ userId, anonymousId }: Ids): Ids {
  return { userId: userId?.trim() ? userId : undefined, anonymousId: anonymousId?.trim() ? anonymousId : undefined }
}

interface User {
  email: string
  /** The userId that an anonymousId came with. */
  userId?: string
  /** EmailSendX has been told. */
  isLinked?: boolean
}

const contacts = new LRUCache<string, string>({ max: MAX_REMEMBERED_CONTACTS })
const users = new LRUCache<string, User>({ max: MAX_REMEMBERED_USERS })
/** Servers that lack the endpoint for Segment's webhooks, and since when. */
const incompleteServers = new LRUCache<string, number>({ max: 1_000 })

/** Forgets everything, for tests that count requests. `clear` would go over all the places there are, taken or not. */
export function forgetContacts(): void {
  for (const memory of [contacts, users, incompleteServers]) {
    for (const key of [...memory.keys()]) memory.delete(key)
  }
}

/** Workspaces share the process, and each has its own contacts. */
export class Memory {
  private readonly server: string
  private readonly workspace: string

  constructor({ apiUrl = '', apiKey }: Settings) {
    this.server = apiUrl
    // Neither has a space within it, or nothing can be sent, and nothing is remembered.
    this.workspace = `${apiUrl} ${apiKey} `
  }

  get contactIds(): ContactIds {
    return {
      get: (email) => contacts.get(this.workspace + email),
      set: (email, id) => void contacts.set(this.workspace + email, id),
      delete: (email) => void contacts.delete(this.workspace + email)
    }
  }

  /** The address that an identify told of the user, else of the device, unless another user was seen on the device last. */
  emailOf(ids: Ids): string | undefined {
    const { userId, anonymousId } = present(ids)
    const user = userId === undefined ? undefined : users.get(this.user(userId))
    if (user) return user.email
    const device = anonymousId === undefined ? undefined : users.get(this.device(anonymousId))
    const isShared = userId !== undefined && device?.userId !== undefined && device.userId !== userId
    return isShared ? undefined : device?.email
  }

  /** An identify with this address is delivered. @returns whether EmailSendX has been told that its user has this address. */
  learn(ids: Ids, email: string): boolean {
    const { userId, anonymousId } = present(ids)
    if (anonymousId) {
      const key = this.device(anonymousId)
      const device = users.get(key)
      if (device?.email !== email || device.userId !== userId) users.set(key, { email, userId })
    }
    if (!userId) return false
    const key = this.user(userId)
    const user = users.get(key)
    if (user?.email === email) return user.isLinked === true
    users.set(key, { email })
    return false
  }

  link(userId: string, email: string): void {
    users.set(this.user(userId), { email, isLinked: true })
  }

  /** Whether the server has been found without the endpoint for Segment's webhooks a few minutes ago. */
  lacksEndpoint(): boolean {
    const since = incompleteServers.get(this.server) ?? -Infinity
    return Date.now() - since < MISSING_ENDPOINT_MS
  }

  noteMissingEndpoint(): void {
    incompleteServers.set(this.server, Date.now())
  }

  private user(userId: string): string {
    return `${this.workspace}u${userId}`
  }

  private device(anonymousId: string): string {
    return `${this.workspace}a${anonymousId}`
  }
}
