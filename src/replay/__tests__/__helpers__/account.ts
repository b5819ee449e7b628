import path from 'node:path'
import Database from 'libsql'
import { SANDBOX_KEY, startSandbox } from '../../../sandbox'
import type { Sandbox, SandboxOptions } from '../../../sandbox'
import { Files } from '../../../event-files/__tests__/__helpers__/files'

/** An EmailSendX with files beside it, looked at from outside. */
export class Account {
  readonly key = SANDBOX_KEY
  private readonly data: Database.Database

  private constructor(readonly files: Files, readonly sandbox: Sandbox, file: string) {
    this.data = new Database(file)
  }

  static async open(options: SandboxOptions = {}): Promise<Account> {
    const files = new Files()
    const data = path.join(files.folder, 'sandbox.db')
    const sandbox = await startSandbox({ port: 0, rateLimit: 1_000_000, data, ...options })
    return new Account(files, sandbox, data)
  }

  async close(): Promise<void> {
    this.data.close()
    await this.sandbox.close()
    this.files.remove()
  }

  /** How many there are: cheap enough to be asked again and again. */
  count(what: 'events' | 'contacts'): number {
    return this.select<{ count: number }>(`SELECT COUNT(*) AS count FROM ${what}`)[0].count
  }

  /** The events fired, in order. */
  events(): { email: string; name: string; data: { n?: number } }[] {
    return this.select<{ email: string; name: string; data: string }>(
      'SELECT email, name, data FROM events JOIN contacts ON contacts.id = contact_id ORDER BY events.seq'
    ).map((event) => ({ ...event, data: JSON.parse(event.data) as { n?: number } }))
  }

  contacts(): { email: string; metadata: Record<string, unknown> }[] {
    return this.select<{ email: string; details: string }>('SELECT email, details FROM contacts ORDER BY email').map(
      ({ email, details }) => ({
        email,
        metadata: (JSON.parse(details) as { metadata: Record<string, unknown> }).metadata
      })
    )
  }

  /** Contacts that were there before. */
  async add(emails: string[]): Promise<void> {
    const headers = { authorization: `Bearer ${this.key}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ contacts: emails.map((email) => ({ email })) })
    await fetch(`${this.sandbox.url}/api/v1/contacts/bulk`, { method: 'POST', headers, body })
  }

  async calls(): Promise<number> {
    const state = (await (await fetch(`${this.sandbox.url}/_sandbox/state`)).json()) as { totals: { requests: number } }
    return state.totals.requests
  }

  private select<Row>(sql: string): Row[] {
    return this.data.prepare(sql).all([]) as Row[]
  }
}
