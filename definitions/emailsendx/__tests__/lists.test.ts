import { createTestIntegration } from '@segment/actions-core'
import type { DynamicFieldResponse } from '@segment/actions-core'
import nock from 'nock'
import definition from '..'
import { listChoices } from '../lists'
import { isolate, ORIGIN, SETTINGS } from './__helpers__/deliver'

isolate()

const NO_LIST = { label: 'Do not add to a list', value: 'none', description: 'Not even to the default list.' }

async function pick(input: { page?: string; settings?: { apiKey: string } } = {}) {
  return (await createTestIntegration(definition).testDynamicField('identifyContact', 'listId', {
    settings: SETTINGS,
    payload: {},
    ...input
  })) as DynamicFieldResponse
}

/** actions-core hands the search text only to functions that it is given, and drops it for those of the definition. */
async function search(query?: string) {
  const input = { settings: SETTINGS, payload: {}, dynamicFieldContext: { query } }
  return (await createTestIntegration(definition).testDynamicField(
    'identifyContact',
    'listId',
    input,
    listChoices
  )) as DynamicFieldResponse
}

function page(number: number, lists: object[], totalPages?: number | string): nock.Scope {
  return nock(ORIGIN)
    .get('/api/v1/lists')
    .query({ limit: 100, page: number })
    .reply(200, { data: lists, pagination: totalPages && { page: number, totalPages } })
}

describe('the list picker', () => {
  it('offers the lists, and first of all none', async () => {
    page(1, [
      { id: 'l1', name: 'Newsletter Subscribers', memberCount: 4820 },
      { id: 'l2', name: '' },
      { name: 'without an id' }
    ])
    expect(await pick()).toEqual({
      choices: [
        NO_LIST,
        { label: 'Newsletter Subscribers', value: 'l1', description: '4820 active contacts' },
        { label: 'l2', value: 'l2', description: 'l2' }
      ],
      nextPage: ''
    })
  })

  it('goes on from page to page', async () => {
    page(1, [{ id: 'l1', name: 'One' }], 2)
    page(2, [{ id: 'l2', name: 'Two' }], 2)
    expect((await pick()).nextPage).toBe('2')
    const second = await pick({ page: '2' })
    expect(second.choices.map(({ value }) => value)).toEqual(['l2'])
    expect(second.nextPage).toBe('')
  })

  it('searches all pages by name or id', async () => {
    page(
      1,
      [
        { id: 'l1', name: 'Newsletter' },
        { id: 'l2', name: 'Customers' }
      ],
      2
    )
    page(
      2,
      [
        { id: 'l3', name: 'News archive' },
        { id: 'news', name: 'Other' }
      ],
      2
    )
    const { choices, nextPage } = await search(' NEWS ')
    expect(choices.map(({ value }) => value)).toEqual(['l1', 'l3', 'news'])
    expect(nextPage).toBe('')
  })

  it('is not searched before something is typed', async () => {
    page(1, [{ id: 'l1', name: 'One' }])
    expect((await search()).choices).toHaveLength(2)
  })

  it.each(['0', '-2', 'x', ''])('begins at the first page when asked for page %j', async (asked) => {
    page(1, [{ id: 'l1', name: 'One' }])
    expect((await pick({ page: asked })).choices).toHaveLength(2)
  })

  it('goes on after a full page where no number of pages is told', async () => {
    const lists = (count: number) => Array.from({ length: count }, (_, i) => ({ id: `l${i}`, name: 'x' }))
    page(1, lists(100))
    expect((await pick()).nextPage).toBe('2')
    page(1, lists(100), 'many')
    expect((await pick()).nextPage).toBe('2')
    page(2, lists(99))
    expect((await pick({ page: '2' })).nextPage).toBe('')
    page(3, [], 9)
    expect(await pick({ page: '3' })).toEqual({ choices: [], nextPage: '' })
  })

  it('counts nobody as 0 active contacts', async () => {
    page(1, [{ id: 'l1', name: 'New', memberCount: 0 }])
    expect((await pick()).choices[1].description).toBe('0 active contacts')
  })

  it('searches no more than 50 pages', async () => {
    let requests = 0
    nock(ORIGIN)
      .persist()
      .get('/api/v1/lists')
      .query(true)
      .reply(() => {
        requests++
        return [200, { data: [{ id: `l${requests}`, name: 'News' }], pagination: { totalPages: 1000 } }]
      })
    expect((await search('news')).choices).toHaveLength(50)
    expect(requests).toBe(50)
  })

  it('says so when there is none yet', async () => {
    page(1, [])
    expect(await pick()).toMatchObject({
      choices: [NO_LIST],
      nextPage: '',
      error: { code: '404', message: expect.stringContaining('no lists yet') }
    })
  })

  it.each([
    [401, /refused the API key/],
    [403, /lacks the lists:read scope/],
    [500, /problem of its own/]
  ])('explains a %i instead of offering nothing', async (status, words) => {
    nock(ORIGIN).get('/api/v1/lists').query(true).reply(status, { error: 'No' })
    expect(await pick()).toEqual({
      choices: [],
      nextPage: '',
      error: { code: String(status), message: expect.stringMatching(words) }
    })
  })

  it('explains a key that is not there yet', async () => {
    expect((await pick({ settings: { apiKey: '' } })).error).toMatchObject({ code: '401' })
  })
})
