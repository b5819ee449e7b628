import type { IncomingHttpHeaders } from 'node:http'
import { newId, newKey } from './ids'
import { fromJson, type Store } from './store'

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

interface KeyRow {
  id: string
  key: string
  name: string
  scopes: string
  revoked: number
}

const COLUMNS = 'id, key, name, scopes, revoked'

const fromRow = (row: KeyRow): ApiKey => ({
  id: row.id,
  key: row.key,
  name: fromJson(row.name),
  scopes: fromJson(row.scopes),
  revoked: row.revoked === 1
})

export function listKeys(store: Store): ApiKey[] {
  return store.all<KeyRow>(`SELECT ${COLUMNS} FROM keys ORDER BY seq`).map(fromRow)
}

export function findKey(store: Store, secret: string): ApiKey | undefined {
  const row = store.get<KeyRow>(`SELECT ${COLUMNS} FROM keys WHERE key = ?`, secret)
  return row && fromRow(row)
}

/** `id` and `key` are made up when not given. */
export function createKey(store: Store, { id = newId(), key, name, scopes, environment = 'test' }: NewKey): ApiKey {
  const made: ApiKey = { id, key: key ?? newKey(environment), name, scopes, revoked: false }
  store.run(
    'INSERT INTO keys (id, key, name, scopes) VALUES (?, ?, ?, ?)',
    made.id,
    made.key,
    JSON.stringify(name),
    JSON.stringify(scopes)
  )
  return made
}

interface NewKey {
  id?: string
  key?: string
  name: string
  scopes: Scope[]
  environment?: 'test' | 'live'
}

/** @returns the changed key, or undefined when there is none with this id */
export function changeKey(
  store: Store,
  id: string,
  change: { revoked?: boolean; scopes?: Scope[] }
): ApiKey | undefined {
  store.run(
    'UPDATE keys SET revoked = coalesce(?, revoked), scopes = coalesce(?, scopes) WHERE id = ?',
    change.revoked === undefined ? null : Number(change.revoked),
    change.scopes ? JSON.stringify(change.scopes) : null,
    id
  )
  const row = store.get<KeyRow>(`SELECT ${COLUMNS} FROM keys WHERE id = ?`, id)
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
