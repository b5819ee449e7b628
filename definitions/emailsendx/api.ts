import type { JSONObject, ModifiedResponse, RequestClient } from '@segment/actions-core'
import { apiOrigin, checkSendable, serverOf } from './connection'
import { MAX_SEARCH_PAGES, PAGE_SIZE, REQUEST_TIMEOUT_MS } from './constants'
import { explain, isNotDelivered, isObject, isRefusal, notTheApi, refusedIn, tooSlow } from './errors'
import type { CallContext, NotDelivered } from './errors'
import type { Settings } from './generated-types'
import { readPace } from './pace'
import type { Pace } from './pace'
import type { BulkReport, BulkTarget, Contact, ContactRow, List, SegmentCall } from './types'
import { EMAILSENDX_API_VERSION } from './versioning-info'

/** An answer of the API: its status, the whole JSON body, and what the body's `data` holds (or the body, where it is bare). */
export interface Reply<Data> {
  status: number
  body: JSONObject
  data: Data
}

/** Some of the workspace's contacts. */
export interface ContactsPage {
  contacts: { email: string; id: string }[]
  /** Pages in all; undefined when the answer does not say. */
  pages?: number
}

/**
 * The part of EmailSendX's REST API that the destination uses. Every method throws NotDelivered when the call does not
 * succeed, also when the settings leave no call to make.
 * @see https://emailsendx.com/docs/api
 */
export class EmailSendX {
  private newest?: Response

  constructor(private readonly request: RequestClient, readonly settings: Settings) {}

  /** What the newest answer said about the pace. */
  get pace(): Pace | undefined {
    return this.newest && readPace(this.newest)
  }

  /** Asks whose key this is. Known from the vendor's own client, which tests connections with it. */
  async whoami(): Promise<void> {
    const { status, body } = await this.call(`${V1}/whoami`, {})
    if (!isObject(body.data)) throw notTheApi(status, { server: serverOf(this.settings) })
  }

  /**
   * Creates or updates up to 1,000 contacts by email, and adds each to the list. Counts as one request.
   * @param rows a `ContactRow` each, as the JSON that its size was measured by.
   */
  async upsertContacts(rows: string[], target: BulkTarget): Promise<Reply<BulkReport>> {
    const { listId } = target
    const body = JSON.stringify({ contacts: [], ...target }).replace('[]', () => `[${rows.join(',')}]`)
    return this.call(`${V1}/contacts/bulk`, { scope: 'contacts:write', listId }, { body })
  }

  /** Creates or updates one contact by email. @returns its id, where the answer has one. */
  async upsertContact(contact: ContactRow): Promise<string | undefined> {
    const { data } = await this.call<Contact>(
      `${V1}/contacts`,
      { scope: 'contacts:write' },
      { body: JSON.stringify(contact) }
    )
    return idOf(data)
  }

  /** The id of the contact with exactly this (lower-case) address. `search` matches any part of an address or a name. */
  async findContact(email: string): Promise<string | undefined> {
    for (let page = 1; page <= MAX_SEARCH_PAGES; page++) {
      const query = { search: email, ...pageQuery(page) }
      const reply = await this.call<Contact[]>(`${V1}/contacts`, { scope: 'contacts:read' }, { query })
      const contacts = rows<Contact>(reply.data)
      const id = contacts
        .filter((contact) => hasAddress(contact, email))
        .map(idOf)
        .find((id) => id !== undefined)
      if (id !== undefined || !hasNextPage(reply.body, page, contacts.length)) return id
    }
    return undefined
  }

  /** One page of all contacts, 1-indexed. In which order they come is not documented. */
  async contacts(page: number): Promise<ContactsPage> {
    const { body, data } = await this.call(`${V1}/contacts`, { scope: 'contacts:read' }, { query: pageQuery(page) })
    const contacts = rows<Contact>(data).flatMap((contact) => {
      const id = idOf(contact)
      return typeof contact.email === 'string' && id ? [{ email: contact.email.trim().toLowerCase(), id }] : []
    })
    return { contacts, pages: totalPages(body) }
  }

  /** The lightest documented call that needs a valid key. */
  async firstContact(): Promise<void> {
    const { status, data } = await this.call(`${V1}/contacts`, { scope: 'contacts:read' }, { query: { limit: '1' } })
    if (!Array.isArray(data)) throw notTheApi(status, { server: serverOf(this.settings) })
  }

  /**
   * Fires a custom event, which starts the automations that wait for its name. Firing twice starts them twice.
   * @param event a `CustomEvent`, as the JSON that its size was measured by.
   */
  async fireEvent(contactId: string, event: string): Promise<Reply<unknown>> {
    const names = { scope: 'contacts:write', isAboutContact: true, fires: true }
    return this.call(`${V1}/contacts/${encodeURIComponent(contactId)}/events`, names, { body: event })
  }

  /**
   * Hands a call over to the endpoint for Segment's webhooks (/docs/integrations/segment), the only one that finds a contact
   * by a user id. @returns undefined on a server that lacks it: such servers answer with a page of their website.
   */
  async handOver(call: SegmentCall): Promise<Reply<unknown> | undefined> {
    try {
      const names = { scope: 'contacts:write', isAboutContact: true, fires: call.type === 'track' }
      return await this.call('segment/track', names, { body: JSON.stringify(call) })
    } catch (error) {
      if (isNotDelivered(error) && isPage(error)) return undefined
      throw error
    }
  }

  /** One page of lists, 1-indexed, and whether there is another. */
  async lists(page: number): Promise<{ lists: List[]; hasNextPage: boolean }> {
    const { body, data } = await this.call(`${V1}/lists`, { scope: 'lists:read' }, { query: pageQuery(page) })
    const lists = rows<List>(data)
    return { lists, hasNextPage: hasNextPage(body, page, lists.length) }
  }

  /** Whether the workspace has the list. The answer to `?id=` is one list or an array of one. */
  async hasList(listId: string): Promise<boolean> {
    const { data } = await this.call(`${V1}/lists`, { scope: 'lists:read', listId }, { query: { id: listId } })
    return rows<List>(data).some((list) => list.id === listId)
  }

  private async call<Data = unknown>(
    path: string,
    names: Omit<CallContext, 'server'>,
    { query, body }: CallContent = {}
  ): Promise<Reply<Data>> {
    const server = serverOf(this.settings)
    const context = (): CallContext => ({ ...names, server })
    try {
      checkSendable(this.settings)
      // As `searchParams`, the core would build the request three times.
      const search = query ? `?${new URLSearchParams(query).toString()}` : ''
      const request = this.request(`${apiOrigin(server)}/api/${path}${search}`, {
        method: body ? 'POST' : 'GET',
        headers: body ? { 'Content-Type': 'application/json' } : undefined,
        // As `json`, the core would build the request twice.
        body,
        timeout: REQUEST_TIMEOUT_MS,
        // A followed redirect turns a POST into a GET, which then "succeeds" without having sent anything.
        redirect: 'manual',
        skipResponseCloning: true
      })
      const response = await inTime(request, () => tooSlow(context()))
      this.newest = response
      const answer = readBody(response)
      if (!answer) throw notTheApi(response.status, context())
      if (isRefusal(answer)) throw refusedIn(answer, context())
      return { status: response.status, body: answer, data: (answer.data ?? answer) as Data }
    } catch (cause) {
      const { response } = cause as { response?: Response }
      if (response) this.newest = response
      throw explain(cause, context())
    }
  }
}

const V1 = EMAILSENDX_API_VERSION

function isPage({ answered, outcome }: NotDelivered): boolean {
  return (answered === 404 || answered === 405) && typeof outcome.answer === 'string'
}

interface CallContent {
  query?: Record<string, string>
  /** JSON. */
  body?: string
}

/** A page of a list, 1-indexed. */
function pageQuery(page: number): Record<string, string> {
  return { limit: String(PAGE_SIZE), page: String(page) }
}

/** The request client's own timeout covers the headers of an answer, not its body. */
function inTime<T>(call: Promise<T>, tooLate: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(tooLate()), REQUEST_TIMEOUT_MS)
    void call.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** An empty body of a 2xx means "done" (the vendor's client reads it so); undefined: not a JSON object. */
function readBody({ data, content }: ModifiedResponse): JSONObject | undefined {
  // The core has read what says that it is JSON.
  if (isObject(data)) return data
  if (content.trim() === '') return {}
  try {
    const body: unknown = JSON.parse(content)
    return isObject(body) ? body : undefined
  } catch {
    return undefined
  }
}

function rows<Row>(data: unknown): Row[] {
  return (Array.isArray(data) ? data : [data]).filter(isObject) as Row[]
}

/** `pagination.totalPages` is documented; without it, a full page means that there may be another. */
function hasNextPage(body: JSONObject, page: number, count: number): boolean {
  const pages = totalPages(body)
  return count > 0 && (pages === undefined ? count >= PAGE_SIZE : page < pages)
}

function totalPages({ pagination }: JSONObject): number | undefined {
  const pages = isObject(pagination) ? pagination.totalPages : undefined
  return typeof pages === 'number' ? pages : undefined
}

function hasAddress(contact: Contact, email: string): boolean {
  return typeof contact.email === 'string' && contact.email.trim().toLowerCase() === email
}

function idOf(contact: Contact): string | undefined {
  return typeof contact.id === 'string' && contact.id !== '' ? contact.id : undefined
}
