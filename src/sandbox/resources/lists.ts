import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { HttpError } from '../../http/errors'
import { assumed } from '../assumptions'
import { fromJson, isoTime, newId } from '../db/values'
import { envelope, paging, parseBody, type Query } from '../request'
import type { Workspace } from '../workspace'

/** A list as the API shows it; `memberCount` counts its active contacts. */
export interface List {
  id: string
  name: string
  description: string | null
  memberCount: number
  createdAt: string
  updatedAt: string
}

const listBody = z.object({ name: z.string().trim().min(1), description: z.string().nullish() })

export function listRoutes(app: FastifyInstance, workspace: Workspace): void {
  const { store, stream } = workspace

  app.get<{ Querystring: Query }>('/lists', { config: { scope: 'lists:read' } }, ({ query }) => {
    if (query.id !== undefined) return { data: getList(workspace, query.id) }
    const slice = paging(query)
    const lists = selectLists(workspace, 'ORDER BY seq LIMIT ? OFFSET ?', slice.limit, slice.offset)
    return envelope(lists, store.count('SELECT count(*) AS n FROM lists'), slice)
  })

  app.post('/lists', { config: { scope: 'lists:write' } }, ({ body }, reply) => {
    const list = parseBody(listBody, body)
    reply.code(assumed.listCreated.value)
    const created = createList(workspace, list)
    stream.emit({ type: 'list', id: created.id })
    return { data: created }
  })
}

/** The active members are counted as all but the inactive ones, who are few; CROSS JOIN keeps SQLite beginning with them. */
const SELECT = `SELECT id, name, description, created_at AS createdAt, updated_at AS updatedAt,
  (SELECT count(*) FROM members WHERE list_id = lists.id) -
  (SELECT count(*) FROM contacts CROSS JOIN members ON members.list_id = lists.id AND members.contact_id = contacts.id
    WHERE contacts.status <> 'active') AS memberCount
  FROM lists`

/** @param clause what follows `FROM lists`, with a `?` for each of `values` */
export function selectLists({ store }: Workspace, clause: string, ...values: (string | number)[]): List[] {
  return store
    .all<List & { description: string }>(`${SELECT} ${clause}`, ...values)
    .map((row) => ({ ...row, name: fromJson(row.name), description: fromJson(row.description) }))
}

/**
 * @param named what to call the missing list's id in the error, when it was not the only input
 * @throws HttpError 404
 */
export function getList(workspace: Workspace, id: string, named?: string): List {
  const [list] = selectLists(workspace, 'WHERE id = ?', id)
  if (!list) throw new HttpError(assumed.unknownList.value, named ? `List not found: ${named}` : 'List not found')
  return list
}

type NewList = z.output<typeof listBody> & Partial<Pick<List, 'id' | 'createdAt'>>

export function createList(workspace: Workspace, list: NewList): List {
  const { id = newId(), name, description = null, createdAt = isoTime(workspace.now()) } = list
  workspace.store.insert('lists', {
    id,
    name: JSON.stringify(name),
    description: JSON.stringify(description),
    created_at: createdAt,
    updated_at: createdAt
  })
  return getList(workspace, id)
}

/** Puts a contact in a list; a contact that is in it already stays as it is. */
export function addMember(
  { store, stream, now }: Workspace,
  listId: string,
  { id, email }: { id: string; email: string }
): void {
  const sql = 'INSERT OR IGNORE INTO members (list_id, contact_id, added_at) VALUES (?, ?, ?)'
  const added = store.run(sql, listId, id, isoTime(now()))
  if (added) stream.emit({ type: 'membership', listId, contactId: id, email })
}
