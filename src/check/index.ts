import { rowsOf, type Account } from '../account/account'
import type { JsonObject } from '../http/json'
import { assumed, switches } from '../sandbox/assumptions'
import { hasList, judgeDefaultList, judgeKey, judgeRate, judgeScopes } from './access'
import { asker, NotTested, outcomeOf, type Ask } from './ask'
import { connect } from './connection'
import { reads, type Examples } from './reads'
import { untested, type Finding, type Reading, type Report, type Seen } from './report'
import { isWriting, tryWrites } from './writes'
import type { WriteOptions } from './writes/trial'

export type { Report } from './report'
export { conclusion, tally } from './report'

export interface CheckOptions {
  /** The list that is to be the destination's default. */
  defaultListId?: string
  /** What may be written; absent: nothing is. */
  write?: WriteOptions
}

/** What the sandbox assumes, in words; of a switch that is its first choice. */
const ASSUMPTIONS: Record<string, string> = {
  ...Object.fromEntries(
    Object.entries(switches).map(([about, choices]) => [about, Object.values(choices)[0] as string])
  ),
  ...Object.fromEntries(Object.entries(assumed).map(([about, { reading }]) => [about, reading])),
  unknownContact: 'An event for an unknown contact id is refused with 404.'
}

const NEEDS_WRITE = untested('needs --write')
const LEAVES_BEHIND = untested('it would leave something that nobody asked for')

/**
 * Looks whether an account can be used with the destination, and whether its server is what the sandbox assumes. Without `write` it
 * changes nothing.
 * @throws when the list to write to does not exist
 */
export async function check(account: Account, { defaultListId, write }: CheckOptions): Promise<Report> {
  const asked = Date.now() / 1000
  const { finding, answer } = await connect(account)
  const answered = Date.now() / 1000
  if (!answer || finding.mark !== 'ok') return { findings: [finding], readings: [], left: [], calls: 1 }

  const ask = asker(account)
  const key = await orUnknown('API key', () => judgeKey(ask, answer))
  const findings = [finding, ...key]
  if (!key.some(({ mark }) => mark === 'ok')) return { findings, readings: [], left: [], calls: 1 + ask.calls() }

  findings.push(
    ...(await orUnknown('scopes', () => judgeScopes(ask))),
    ...(await orUnknown('default list', () => judgeDefaultList(ask, defaultListId))),
    judgeRate(answer)
  )
  if (write && !(await hasList(ask, write.listId)))
    throw new Error('--write: there is no such list; nothing was written')
  const left = new Set<string>()
  const written = write && (await tryWrites(ask, write, left))
  const examples: Examples = {
    first: answer,
    asked,
    answered,
    contact: await firstRow(ask, 'contacts'),
    list: await firstRow(ask, 'lists')
  }
  const found: Record<string, Seen> = {}
  for (const [about, question] of Object.entries(reads)) found[about] = await outcomeOf(() => question(ask, examples))
  Object.assign(found, written)
  return { findings, readings: readingsOf(found), left: [...left], calls: 1 + ask.calls() }
}

const readingsOf = (found: Record<string, Seen>): Reading[] =>
  Object.entries(ASSUMPTIONS).map(([about, assumption]) => ({
    about,
    assumption,
    ...(found[about] ?? (isWriting(about) ? NEEDS_WRITE : LEAVES_BEHIND))
  }))

async function firstRow(ask: Ask, path: 'contacts' | 'lists'): Promise<JsonObject | undefined> {
  const [row] = await ask('GET', path, { query: { limit: 1 } }).then(rowsOf, () => [])
  return row
}

async function orUnknown(about: string, judge: () => Promise<Finding | Finding[]>): Promise<Finding[]> {
  try {
    return [await judge()].flat()
  } catch (error) {
    if (error instanceof NotTested) return [{ about, mark: 'unknown', says: error.message }]
    throw error
  }
}
