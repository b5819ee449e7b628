import { createAutomation } from './automations'
import { createKey, SANDBOX_KEY, SCOPES } from './keys'
import { TABLE_NAMES } from './schema'
import type { Workspace } from './workspace'

/** The lists of EmailSendX's own API pages. */
const LISTS = [
  ['clx_list_newsletter_id', 'Newsletter Subscribers', 'Main newsletter list', '2026-01-10T09:00:00Z'],
  ['clx_list_customers_id', 'Paying Customers', 'All users with an active subscription', '2026-01-12T11:30:00Z']
]

/** What every new sandbox has: two lists, one automation, one key. */
function seed(workspace: Workspace): void {
  const { store } = workspace
  for (const [id, name, description, time] of LISTS) {
    store.run(
      'INSERT INTO lists (id, name, description, created_at, updated_at) VALUES (?, ?, ?, ?, ?)',
      id,
      JSON.stringify(name),
      JSON.stringify(description),
      time,
      time
    )
  }
  createAutomation(workspace, {
    id: 'clx_auto_purchase_flow_id',
    name: 'Post-Purchase Flow',
    status: 'active',
    triggerType: 'CUSTOM_EVENT',
    triggerEvent: 'purchase_completed',
    steps: [
      { type: 'SEND_EMAIL', name: 'Thank you for your order' },
      { type: 'WAIT', name: 'Wait 3 days' },
      { type: 'SEND_EMAIL', name: 'How do you like it?' }
    ]
  })
  createKey(store, { id: 'key_default', key: SANDBOX_KEY, name: 'Sandbox', scopes: [...SCOPES] })
}

/** Gives a new store its first content. */
export function seedWhenEmpty(workspace: Workspace): void {
  const { store } = workspace
  if (store.count('SELECT count(*) AS n FROM keys') === 0) store.transaction(() => seed(workspace))
}

/** Back to how the sandbox started with an empty store: data, keys, faults, settings, counts and rate windows. */
export function reset(workspace: Workspace): void {
  const { store, settings, initialSettings, limiter, faults, traffic, happenings } = workspace
  store.transaction(() => {
    for (const table of TABLE_NAMES) store.run(`DELETE FROM ${table}`)
    seed(workspace)
  })
  Object.assign(settings, initialSettings)
  limiter.clear()
  faults.clear()
  traffic.clear()
  happenings.tell({ type: 'reset' })
}
