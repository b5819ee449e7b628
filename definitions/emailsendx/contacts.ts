import type { RequestClient } from '@segment/actions-core'
import { EmailSendX } from './api'
import type { ContactsPage } from './api'
import { attempt } from './errors'
import type { Settings } from './generated-types'
import type { Undelivered } from './outcome'

/**
 * Reads a hundred of the workspace's contacts with one request. Bulk calls answer no ids, so this is how a program learns those of
 * many contacts before it fires events at them. @param page from 1
 */
export async function readContacts(
  client: RequestClient,
  settings: Settings,
  page: number
): Promise<ContactsPage | Undelivered> {
  return attempt(() => new EmailSendX(client, settings).contacts(page))
}
