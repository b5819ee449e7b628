import { dataOf, objectOf, rowsOf, type Answer } from '../account/account'
import { isObject, type JsonObject } from '../http/json'
import { isPage, remaining, type Ask } from './ask'
import { seen, untested, type Seen } from './report'

/** What the first calls found, for questions that need an example. */
export interface Examples {
  /** The very first answer. */
  first: Answer
  /** When it was asked for, and when it came, in seconds since 1970. */
  asked: number
  answered: number
  contact?: JsonObject
  list?: JsonObject
}

type Question = (ask: Ask, examples: Examples) => Promise<Seen>

const NOBODY = 'clx_emailsendx_check_none'
const NO_CONTACT = untested('there is no contact to try it with')
const NO_LIST = untested('there is no list to try it with')

const bulk = (ask: Ask, call: object) => ask('POST', 'contacts/bulk', call)

/** The questions that reading answers, or a call that has no effect. */
export const reads: Record<string, Question> = {
  limit: async (ask) => {
    const { status } = await ask('GET', 'contacts', { query: { limit: 101 } })
    return seen(status === 400, `limit=101 is answered ${status}`)
  },

  repeatedParameter: async (ask) => {
    const query = new URLSearchParams([
      ['limit', '1'],
      ['limit', '2']
    ])
    const answer = await ask('GET', 'contacts', { query })
    const pagination = isObject(answer.body) ? answer.body.pagination : undefined
    const limit = isObject(pagination) ? pagination.limit : undefined
    return typeof limit !== 'number'
      ? untested(`limit=1&limit=2 is answered ${answer.status} without a limit`)
      : seen(limit === 1, `limit=1&limit=2 counts as ${limit}`)
  },

  order: async (ask) => {
    const contacts = rowsOf(await ask('GET', 'contacts', { query: { limit: 100 } })).map(createdAt)
    const lists = rowsOf(await ask('GET', 'lists', { query: { limit: 100 } })).map(createdAt)
    if (new Set(contacts).size < 2 && new Set(lists).size < 2) return untested('there are too few to tell')
    const newestFirst = contacts.every((time, index) => index === 0 || time <= contacts[index - 1])
    const oldestFirst = lists.every((time, index) => index === 0 || time >= lists[index - 1])
    const words = [
      newestFirst ? 'contacts newest first' : 'contacts not newest first',
      oldestFirst ? 'lists oldest first' : 'lists not oldest first'
    ]
    return seen(newestFirst && oldestFirst, words.join(', '))
  },

  search: async (ask, { contact }) => {
    if (typeof contact?.email !== 'string') return NO_CONTACT
    const { id, email, firstName } = contact
    const finds = async (text: string) =>
      rowsOf(await ask('GET', 'contacts', { query: { search: text, limit: 100 } })).some((row) => row.id === id)
    const byPart = await finds(email.slice(1, -1).toUpperCase())
    const byWildcard = await finds(`${email.slice(0, 1)}%${email.slice(2)}`)
    const byName = typeof firstName === 'string' && firstName.length > 2 ? await finds(firstName.slice(1)) : undefined
    const says = (isFound: boolean) => (isFound ? 'finds it' : 'does not find it')
    return seen(
      byPart && !byWildcard && byName !== false,
      [
        `the middle of an address in capitals ${says(byPart)}`,
        `with % for a letter it ${says(byWildcard)}`,
        byName === undefined ? 'no name was there to try' : `a part of the first name ${says(byName)}`
      ].join(', ')
    )
  },

  statusFilter: async (ask) => {
    const { status } = await ask('GET', 'contacts', { query: { status: 'nonsense' } })
    return seen(status === 400, `status=nonsense is answered ${status}`)
  },

  unknownList: async (ask) => {
    const { status } = await ask('GET', 'contacts', { query: { list_id: NOBODY } })
    return seen(status === 404, `an unknown list_id is answered ${status}`)
  },

  contactById: async (ask, { contact }) => {
    if (typeof contact?.id !== 'string') return NO_CONTACT
    const { status } = await ask('GET', `contacts/${encodeURIComponent(contact.id)}`)
    return seen(status === 404 || status === 405, `reading one by its id is answered ${status}`)
  },

  bulkMaximum: async (ask) => {
    const { status } = await bulk(ask, { json: { contacts: [] } })
    return seen(status === 400, `no rows are answered ${status}; more than 1,000 need --write`)
  },

  oneById: async (ask, { list }) => {
    if (typeof list?.id !== 'string') return NO_LIST
    const one = dataOf(await ask('GET', 'lists', { query: { id: list.id } }))
    const { status } = await ask('GET', 'lists', { query: { id: NOBODY } })
    const shape = Array.isArray(one) ? 'an array' : 'an object'
    return seen(!Array.isArray(one) && status === 404, `one list is ${shape}, an unknown id is ${status}`)
  },

  whoami: async (ask) => {
    const answer = await ask('GET', 'whoami')
    if (answer.status !== 200) return seen(false, `it is answered ${answer.status}`)
    const names = Object.keys(objectOf(answer))
    const wanted = ['workspaceId', 'workspaceName', 'keyName', 'scopes']
    return seen(
      wanted.every((name) => names.includes(name)),
      `it has ${names.join(', ') || 'nothing'}`
    )
  },

  bothHeaders: async (ask) => {
    const { status } = await ask('GET', 'contacts', {
      query: { limit: 1 },
      headers: { 'x-api-key': 'esx_test_none' },
      also: [401]
    })
    return seen(status === 200, `a good Bearer key beside a bad x-api-key is answered ${status}`)
  },

  counting: async (ask) => {
    const refused = () => ask('GET', 'contacts', { query: { limit: 'none' } })
    const [before, after] = [remaining(await refused()), remaining(await refused())]
    if (before === undefined || after === undefined) return untested('the server does not say how many calls are left')
    const used = before - after
    // Old calls leave the window meanwhile, and others may use the key.
    if (used < 0 || used > 1) return untested('other calls were counted meanwhile')
    return seen(used === 1, `a call that is refused with 400 takes ${used}`)
  },

  reset: async (_ask, { first, asked, answered }) => {
    const { 'x-ratelimit-reset': reset, 'x-ratelimit-limit': limit } = first.headers
    if (reset === undefined) return untested('the server does not say')
    if (remaining(first) !== Number(limit) - 1) return untested('the minute had other calls')
    const seconds = Number(reset) - answered
    return seen(
      Number(reset) - asked >= 59 && seconds <= 61,
      `after the first call of a minute it is ${Math.round(seconds)} seconds away`
    )
  },

  malformed: async (ask) => {
    const broken = await bulk(ask, { text: '{' })
    const untyped = await bulk(ask, { text: '{"contacts":[]}', headers: { 'content-type': 'text/plain' } })
    return seen(
      broken.status === 400 && untyped.status === 400,
      `half a body is answered ${broken.status}, one of type text/plain ${untyped.status}`
    )
  },

  bodyMaximum: async (ask) => {
    const { status } = await bulk(ask, { json: { contacts: [], padding: 'x'.repeat(1_048_576) } })
    return seen(status === 413, `one of a little over 1 MiB is answered ${status}`)
  },

  unknownRoute: async (ask) => {
    const answer = await ask('GET', 'emailsendx-check')
    const isFree = answer.headers['x-ratelimit-remaining'] === undefined
    return seen(
      answer.status === 404 && isPage(answer) && isFree,
      `it is ${answer.status}${isPage(answer) ? ' in HTML' : ''}, ${isFree ? 'not counted' : 'counted'}`
    )
  },

  wrongMethod: async (ask) => {
    const answer = await ask('PUT', 'contacts')
    const allow = answer.headers.allow !== undefined
    return seen(
      answer.status === 405 && isPage(answer) && allow,
      `PUT is ${answer.status}${isPage(answer) ? ' in HTML' : ''}, ${allow ? 'with' : 'without'} Allow`
    )
  },

  formats: async (_ask, { contact, list }) => {
    const row = contact ?? list
    if (!row) return untested('there is no contact and no list')
    const time = typeof row.createdAt === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(row.createdAt)
    const id = typeof row.id === 'string' && /^c[a-z0-9_]+$/.test(row.id)
    return seen(
      time && id,
      `times are ${time ? '' : 'not '}whole seconds in UTC, ids ${id ? '' : 'do not '}look like CUIDs`
    )
  },

  segmentEndpoint: async (ask) => {
    const segment = await ask('POST', '/api/segment/track', { json: {} })
    const rudderstack = await ask('POST', '/api/rudderstack/track', { json: {} })
    const isThere = (answer: Answer) => ![404, 405].includes(answer.status)
    return seen(
      isThere(segment) && isThere(rudderstack),
      `an empty call is answered ${segment.status} and ${rudderstack.status}`
    )
  },

  segmentRate: async (ask) => {
    const before = remaining(await ask('GET', 'lists', { query: { limit: 1 } }))
    const call = await ask('POST', '/api/segment/track', { json: {} })
    const after = remaining(await ask('GET', 'lists', { query: { limit: 1 } }))
    if (call.status === 404) return untested('the server does not have the endpoint')
    if (before === undefined || after === undefined) return untested('the server does not say how many calls are left')
    const used = before - after - 1
    if (used < 0 || used > 1) return untested('other calls were counted meanwhile')
    return seen(used === 1, `a call takes ${used}`)
  }
}

const createdAt = ({ createdAt }: JsonObject): string => (typeof createdAt === 'string' ? createdAt : '')
