import { createAutomation } from '../resources/automations'
import { createKey, SANDBOX_KEY, SCOPES } from '../resources/keys'
import { createList } from '../resources/lists'
import type { Workspace } from '../workspace'
import { TABLE_NAMES } from './schema'

/** What every new sandbox has: the two lists of EmailSendX's own API pages, one automation, one key. */
function seed(workspace: Workspace): void {
  createList(workspace, {
    id: 'clx_list_newsletter_id',
    name: 'Newsletter Subscribers',
    description: 'Main newsletter list',
    createdAt: '2026-01-10T09:00:00Z'
  })
  createList(workspace, {
    id: 'clx_list_customers_id',
    name: 'Paying Customers',
    description: 'All users with an active subscription',
    createdAt: '2026-01-12T11:30:00Z'
  })
  createAutomation(workspace, {
    id: 'clx_auto_purchase_flow_id',
    name: 'Post-Purchase Flow',
    event: 'purchase_completed'
  })
  createKey(workspace.store, { id: 'key_default', key: SANDBOX_KEY, name: 'Sandbox', scopes: [...SCOPES] })
}

/** Gives a new store its first content. */
export function seedWhenEmpty(workspace: Workspace): void {
  const { store } = workspace
  if (store.count('SELECT count(*) AS n FROM keys') === 0) store.transaction(() => seed(workspace))
}

/** Back to how the sandbox started with an empty store: data, keys, faults, settings, counts and rate windows. */
export function reset(workspace: Workspace): void {
  const { store, settings, initialSettings, limiter, faults, requests, stream } = workspace
  store.transaction(() => {
    for (const table of TABLE_NAMES) store.run(`DELETE FROM ${table}`)
    seed(workspace)
  })
  Object.assign(settings, initialSettings)
  limiter.clear()
  faults.clear()
  requests.clear()
  stream.emit({ type: 'reset' })
}
