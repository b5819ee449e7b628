import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Choices } from '../assumptions'
import type { Store } from '../db/store'
import { fromJson, newId } from '../db/values'

export const SCOPES = [
  'contacts:read',
  'contacts:write',
  'lists:read',
  'lists:write',
  'segments:read',
  'custom_fields:read',
  'custom_fields:write',
  'automations:read',
  'automations:write',
  'campaigns:read'
] as const
export type Scope = (typeof SCOPES)[number]

/** The key that exists from the start, with every scope. */
export const SANDBOX_KEY = 'esx_test_0123456789abcdef0123456789abcdef'

/** An API key of the workspace. `key` is the secret itself; show {@link maskKey} of it. */
export interface ApiKey {
  id: string
  key: string
  name: string
  scopes: Scope[]
  revoked: boolean
}

export function keyRoutes(app: FastifyInstance, { settings }: { settings: Choices }): void {
  app.get('/whoami', { config: { exists: () => settings.whoami === 'available' } }, ({ api }) => {
    const workspace = { workspaceId: 'ws_sandbox_id', workspaceName: 'EmailSendX Sandbox' }
    return { data: { ...workspace, keyName: api?.key?.name, scopes: api?.key?.scopes } }
  })
}

type KeyRow = Omit<ApiKey, 'scopes' | 'revoked'> & { scopes: string; revoked: number }

const SELECT = 'SELECT id, key, name, scopes, revoked FROM keys'

const fromRow = (row: KeyRow): ApiKey => ({
  ...row,
  name: fromJson(row.name),
  scopes: fromJson(row.scopes),
  revoked: row.revoked === 1
})

export function listKeys(store: Store): ApiKey[] {
  return store.all<KeyRow>(`${SELECT} ORDER BY seq`).map(fromRow)
}

export function findKey(store: Store, secret: string): ApiKey | undefined {
  const row = store.get<KeyRow>(`${SELECT} WHERE key = ?`, secret)
  return row && fromRow(row)
}

type NewKey = Pick<ApiKey, 'name' | 'scopes'> & Partial<Pick<ApiKey, 'id' | 'key'>> & { environment?: 'test' | 'live' }

/** `id` and `key` are made up when not given; a key has the documented form, prefix and 32 characters. */
export function createKey(store: Store, { id = newId(), name, scopes, environment = 'test', ...given }: NewKey) {
  const key = given.key ?? `esx_${environment}_${randomBytes(16).toString('hex')}`
  store.insert('keys', { id, key, name: JSON.stringify(name), scopes: JSON.stringify(scopes) })
  return { id, key, name, scopes, revoked: false } satisfies ApiKey
}

/** @returns the changed key, or undefined when there is none with this id */
export function changeKey(
  store: Store,
  id: string,
  { revoked, scopes }: Partial<Pick<ApiKey, 'revoked' | 'scopes'>>
): ApiKey | undefined {
  store.run(
    'UPDATE keys SET revoked = coalesce(?, revoked), scopes = coalesce(?, scopes) WHERE id = ?',
    revoked === undefined ? null : Number(revoked),
    scopes ? JSON.stringify(scopes) : null,
    id
  )
  const row = store.get<KeyRow>(`${SELECT} WHERE id = ?`, id)
  return row && fromRow(row)
}

/** The key a request carries: `Authorization: Bearer` first, else `x-api-key`. */
export function credential(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer +(\S+)\s*$/i.exec(headers.authorization ?? '')
  if (bearer) return bearer[1]
  const other = headers['x-api-key']
  return typeof other === 'string' ? other.trim() || undefined : undefined
}

/** The part of a key that may be shown. */
export function maskKey(key: string): string {
  return `${key.slice(0, 13)}…`
}
