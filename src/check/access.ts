import { dataOf, objectOf, refusalOf, type Answer } from '../account/account'
import { isObject } from '../http/json'
import { remaining, type Ask } from './ask'
import type { Finding } from './report'

const KEY_CHANGE = 'Paste a valid API key: EmailSendX, Settings → API.'

/** Whether the key opens anything, and which workspace. @param whoami what the server said first */
export async function judgeKey(ask: Ask, whoami: Answer): Promise<Finding[]> {
  // An older server has no whoami; this call needs a scope, but a refusal for the scope is one of a valid key.
  const answer =
    whoami.status === 404 ? await ask('GET', 'contacts', { query: { limit: 1 }, also: [401, 403] }) : whoami
  if (answer.status === 401) {
    return [{ about: 'API key', mark: 'change', says: `refused: ${refusalOf(answer)}`, change: KEY_CHANGE }]
  }
  const { workspaceName: workspace } = objectOf(whoami)
  return [
    { about: 'API key', mark: 'ok', says: 'valid' },
    typeof workspace === 'string'
      ? { about: 'workspace', mark: 'ok', says: workspace }
      : { about: 'workspace', mark: 'unknown', says: 'the server does not say' }
  ]
}

/** A call for each scope the destination needs, which does nothing. */
const SCOPES: [scope: string, probe: (ask: Ask) => Promise<Answer>][] = [
  ['contacts:read', (ask) => ask('GET', 'contacts', { query: { limit: 1 }, also: [403] })],
  ['contacts:write', (ask) => ask('POST', 'contacts/bulk', { json: { contacts: [] }, also: [403] })],
  ['lists:read', (ask) => ask('GET', 'lists', { query: { limit: 1 }, also: [403] })]
]

export async function judgeScopes(ask: Ask): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const [scope, probe] of SCOPES) {
    const { status } = await probe(ask)
    const about = `scope ${scope}`
    findings.push(
      status === 403
        ? { about, mark: 'change', says: 'missing', change: `Give the API key the scope ${scope}.` }
        : { about, mark: 'ok', says: 'works' }
    )
  }
  return findings
}

/** Whether the list that is to be the default exists. @param listId undefined when nobody asked */
export async function judgeDefaultList(ask: Ask, listId: string | undefined): Promise<Finding> {
  const about = 'default list'
  if (listId === undefined) return { about, mark: 'unknown', says: 'none given (--default-list)' }
  return (await hasList(ask, listId))
    ? { about, mark: 'ok', says: 'exists' }
    : { about, mark: 'change', says: 'does not exist', change: 'Correct Default List ID, or leave it empty.' }
}

export async function hasList(ask: Ask, listId: string): Promise<boolean> {
  const data = dataOf(await ask('GET', 'lists', { query: { id: listId } }))
  const rows: unknown[] = Array.isArray(data) ? data : [data]
  return rows.some((row) => isObject(row) && row.id === listId)
}

export function judgeRate(answer: Answer): Finding {
  const about = 'rate limit'
  const left = remaining(answer)
  if (left === undefined) return { about, mark: 'unknown', says: 'the server does not say how many calls are left' }
  return {
    about,
    mark: 'ok',
    says: `${left} of ${String(answer.headers['x-ratelimit-limit'])} calls left in this minute`
  }
}
