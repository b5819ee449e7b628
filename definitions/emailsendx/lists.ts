import type { DynamicFieldResponse, RequestClient } from '@segment/actions-core'
import { EmailSendX } from './api'
import { MAX_SEARCH_PAGES, NO_LIST } from './constants'
import { outcomeOfError } from './errors'
import type { Settings } from './generated-types'
import { withoutEvent } from './outcome'
import type { List } from './types'

const NO_LIST_CHOICE = { label: 'Do not add to a list', value: NO_LIST, description: 'Not even to the default list.' }

interface PickerInput {
  settings: Settings
  /** Page to show, 1-indexed, as an earlier answer gave it in `nextPage`. */
  page?: string
  /** What the customer typed to search for. */
  dynamicFieldContext?: { query?: string }
}

/** The workspace's lists for a picker: a page at a time, or those whose name contains the search text. Never throws. */
export async function listChoices(request: RequestClient, input: PickerInput): Promise<DynamicFieldResponse> {
  try {
    const api = new EmailSendX(request, input.settings)
    const query = input.dynamicFieldContext?.query?.trim().toLowerCase()
    return query ? await search(api, query) : await onePage(api, Math.max(1, Number(input.page) || 1))
  } catch (cause) {
    const { message, status } = withoutEvent(outcomeOfError(cause))
    return { choices: [], nextPage: '', error: { message, code: String(status) } }
  }
}

async function onePage(api: EmailSendX, page: number): Promise<DynamicFieldResponse> {
  const { lists, hasNextPage } = await api.lists(page)
  const choices = lists.flatMap(toChoice)
  if (page === 1 && choices.length === 0) {
    return {
      choices: [NO_LIST_CHOICE],
      nextPage: '',
      error: { message: 'This EmailSendX workspace has no lists yet. Create one in EmailSendX first.', code: '404' }
    }
  }
  return {
    choices: page === 1 ? [NO_LIST_CHOICE, ...choices] : choices,
    nextPage: hasNextPage ? String(page + 1) : ''
  }
}

/** The API has no search for lists, so all pages are read. */
async function search(api: EmailSendX, query: string): Promise<DynamicFieldResponse> {
  const found = []
  for (let page = 1; page <= MAX_SEARCH_PAGES; page++) {
    const { lists, hasNextPage } = await api.lists(page)
    found.push(...lists.filter(({ id, name }) => `${name} ${id}`.toLowerCase().includes(query)).flatMap(toChoice))
    if (!hasNextPage) break
  }
  return { choices: found, nextPage: '' }
}

function toChoice({ id, name, memberCount }: List) {
  if (!id) return []
  const description = memberCount === undefined ? id : `${memberCount} active contacts`
  return [{ label: name || id, value: id, description }]
}
