import { LRUCache } from 'lru-cache'
import { MAX_REMEMBERED_CONTACTS } from '../constants'
import type { Settings } from '../generated-types'

/** A memory of contact ids by email. An id never changes; that of a deleted contact is found out by a 404. */
export interface ContactIds {
  get(email: string): string | undefined | Promise<string | undefined>
  set(email: string, id: string): void | Promise<void>
  delete(email: string): void | Promise<void>
}

/** Ids found by earlier events of this process. */
const remembered = new LRUCache<string, string>({ max: MAX_REMEMBERED_CONTACTS })

/** Forgets all contacts, for tests that count requests. */
export function forgetContacts(): void {
  remembered.clear()
}

/** The contact ids that this process remembers. Workspaces share the process, and each has its own contacts. */
export function contactIdsOf({ apiUrl, apiKey }: Settings): ContactIds {
  const key = (email: string) => JSON.stringify([apiUrl, apiKey, email])
  return {
    get: (email) => remembered.get(key(email)),
    set: (email, id) => void remembered.set(key(email), id),
    delete: (email) => void remembered.delete(key(email))
  }
}
