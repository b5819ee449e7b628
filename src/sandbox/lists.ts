import { assumed } from './assumptions'
import { ApiError, envelope, type Paging } from './http'
import { isoTime, newId } from './ids'
import type { Contact } from './contacts'
import { fromJson } from './store'
import type { Workspace } from './workspace'

/** A list as the API shows it; `memberCount` counts its active contacts. */
export interface List {
  id: string
  name: string
  description: string | null
  memberCount: number
  createdAt: string
  updatedAt: string
}

interface ListRow {
  id: string
  name: string
  description: string
  member_count: number
  created_at: string
  updated_at: string
}

/** The active members are counted as all but the inactive ones, who are few; CROSS JOIN keeps SQLite beginning with them. */
const SELECT = `SELECT id, name, description, created_at, updated_at,
  (SELECT count(*) FROM members WHERE list_id = lists.id) -
  (SELECT count(*) FROM contacts CROSS JOIN members ON members.list_id = lists.id AND members.contact_id = contacts.id
    WHERE contacts.status <> 'active') AS member_count
  FROM lists`

const fromRow = (row: ListRow): List => ({
  id: row.id,
  name: fromJson(row.name),
  description: fromJson(row.description),
  memberCount: row.member_count,
  createdAt: row.created_at,
  updatedAt: row.updated_at
})

/** One page of all lists, oldest first. */
export function findLists({ store }: Workspace, slice: Paging) {
  const rows = store.all<ListRow>(
    `${SELECT} ORDER BY seq LIMIT ? OFFSET ?`,
    slice.limit,
    (slice.page - 1) * slice.limit
  )
  return envelope(rows.map(fromRow), store.count('SELECT count(*) AS n FROM lists'), slice)
}

/**
 * @param named what to call the missing list's id in the error, when it was not the only input
 * @throws ApiError 404
 */
export function getList({ store }: Workspace, id: string, named?: string): List {
  const row = store.get<ListRow>(`${SELECT} WHERE id = ?`, id)
  if (!row) throw new ApiError(assumed.unknownList.value, named ? `List not found: ${named}` : 'List not found')
  return fromRow(row)
}

/** The lists a contact is in, at most 100. */
export function listsOf({ store }: Workspace, contactId: string): List[] {
  return store
    .all<ListRow>(
      `${SELECT} WHERE id IN (SELECT list_id FROM members WHERE contact_id = ?) ORDER BY seq LIMIT 100`,
      contactId
    )
    .map(fromRow)
}

/** The oldest list of exactly this name. */
export function findListByName({ store }: Workspace, name: string): List | undefined {
  const row = store.get<ListRow>(`${SELECT} WHERE name = ? ORDER BY seq LIMIT 1`, JSON.stringify(name))
  return row && fromRow(row)
}

export function createList(workspace: Workspace, name: string, description: string | null): List {
  const id = newId()
  const time = isoTime(workspace.now())
  workspace.store.run(
    'INSERT INTO lists (id, name, description, created_at, updated_at) VALUES (?, ?, ?, ?, ?)',
    id,
    JSON.stringify(name),
    JSON.stringify(description),
    time,
    time
  )
  workspace.happenings.tell({ type: 'list', id })
  return getList(workspace, id)
}

/** Puts a contact in a list; a contact that is in it already stays as it is. */
export function addMember({ store, happenings, now }: Workspace, listId: string, { id, email }: Contact): void {
  const added = store.run(
    'INSERT OR IGNORE INTO members (list_id, contact_id, added_at) VALUES (?, ?, ?)',
    listId,
    id,
    isoTime(now())
  )
  if (added) happenings.tell({ type: 'membership', listId, contactId: id, email })
}
