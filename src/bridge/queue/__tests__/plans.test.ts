import Database from 'libsql'
import { openQueue } from '..'
import { begin } from '../transactions'
import type { TransactionName } from '../transactions'
import { sqlite } from '../transactions/dialect'
import type { Columns } from '../transactions/dialect'
import { given, isGiven } from '../transactions/sql'
import { SECRET, sqliteFiles } from './__helpers__/stores'

/*
 * How SQLite goes about what is asked of it all the time. A statement that goes through a table, or a whole partition of it,
 * gives the same answers, but takes the longer the more there is.
 */

const { fresh } = sqliteFiles()
let database: Database.Database
beforeAll(async () => {
  const file = await fresh()
  await (await openQueue(file, { secret: SECRET })).close()
  database = new Database(file)
})
afterAll(() => database.close())

/** What a statement goes through, and by which columns it searches. */
function plan(sql: string, params: unknown[]): string[] {
  const steps = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(params) as { detail: string }[]
  return steps.flatMap(({ detail }) => (/^(SEARCH|SCAN) (?!json_each)/.test(detail) ? [detail] : []))
}

const KEYS: Columns = { partition_id: 'BIGINT', key: 'TEXT' }
const EVENTS: Columns = { partition_id: 'BIGINT', id: 'BIGINT' }

const FOUND: [table: string, columns: Columns][] = [
  ['identity_links', KEYS],
  ['contact_ids', KEYS],
  ['live_traits', KEYS],
  ['events', EVENTS],
  ['blocked_keys', { partition_id: 'BIGINT', event_id: 'BIGINT' }],
  ['event_names', { partition_id: 'BIGINT', name: 'TEXT' }]
]

it.each(FOUND)('finds given rows of %s by their whole key', (table, columns) => {
  const [, last] = Object.keys(columns)
  const condition = isGiven({ dialect: sqlite, now: 0 }, columns)
  for (const statement of [`SELECT COUNT(*) FROM ${table}`, `DELETE FROM ${table}`]) {
    expect(plan(`${statement} WHERE ${condition}`, [given([[1, 'a']])])).toEqual([
      expect.stringContaining(`(partition_id=? AND ${last}=?)`)
    ])
  }
})

/** The plans of all that a transaction asks of an empty store. */
function plansOf(name: TransactionName, ...args: unknown[]): string[] {
  const steps = begin(name, { dialect: sqlite, now: 0 }, args)
  const plans: string[] = []
  for (let step = steps.next(); !step.done; step = steps.next({ rows: [], changes: 0 })) {
    if (step.value.kind === 'query') plans.push(...plan(step.value.sql, step.value.params))
  }
  return plans
}

it('looks up what users go by, and nothing else', () => {
  const lease = { worker: 'worker', partitionId: 1, token: 1 }
  const plans = plansOf('lookUp', [{ lease, keys: ['a'] }])
  expect(plans).toHaveLength(4)
  for (const found of plans) expect(found).toContain('(partition_id=? AND key=?)')
})

it.each(['forgetContacts', 'forgetTraits'] as const)('%s goes through nothing but what is old', (name) => {
  expect(plansOf(name, 1, 1000)).toEqual([
    expect.stringContaining('(partition_id=? AND key=?)'),
    expect.stringContaining('(seen_at<?)')
  ])
})
