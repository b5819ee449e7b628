import { LRUCache } from 'lru-cache'
import type { EmailSendX } from '../api'
import { MAX_REMEMBERED_CONTACTS } from '../constants'
import type { Settings } from '../generated-types'

/** Ids of contacts found by earlier batches of this process. An id never changes; a deleted contact shows as a 404. */
const remembered = new LRUCache<string, string>({ max: MAX_REMEMBERED_CONTACTS })

/** Forgets all contacts, for tests that count requests. */
export function forgetContacts(): void {
  remembered.clear()
}

/** The contact ids of one batch: each email is looked up once, whether it is found or not. */
export class Contacts {
  private readonly lookedUp = new Map<string, string | undefined>()

  constructor(private readonly api: EmailSendX, private readonly settings: Settings) {}

  /** The id of the contact with this address, and whether it was read from EmailSendX just now. */
  async find(email: string): Promise<{ id?: string; isFresh: boolean }> {
    if (this.lookedUp.has(email)) return { id: this.lookedUp.get(email), isFresh: true }
    const id = remembered.get(this.key(email))
    return id === undefined ? { id: await this.lookUp(email), isFresh: true } : { id, isFresh: false }
  }

  /** Asks EmailSendX, whatever is remembered. */
  async lookUp(email: string): Promise<string | undefined> {
    return this.remember(email, await this.api.findContact(email))
  }

  /** Creates the contact and returns its id. */
  async create(email: string): Promise<string | undefined> {
    const id = await this.api.upsertContact({ email })
    return this.remember(email, id ?? (await this.api.findContact(email)))
  }

  /** To be called when EmailSendX no longer knows the contact. */
  forget(email: string): void {
    this.remember(email, undefined)
  }

  private remember(email: string, id: string | undefined): string | undefined {
    this.lookedUp.set(email, id)
    if (id === undefined) remembered.delete(this.key(email))
    else remembered.set(this.key(email), id)
    return id
  }

  /** Workspaces share the process, and each has its own contacts. */
  private key(email: string): string {
    return JSON.stringify([this.settings.apiUrl, this.settings.apiKey, email])
  }
}
