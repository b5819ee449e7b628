import type { Account, Answer, Call } from '../account/account'
import { untested, type Seen } from './report'

/** Answers that say nothing about the question: the key, the limit or the server is in the way. */
const isInTheWay = (status: number) => [401, 403, 429].includes(status) || status >= 500
/** After so many calls without an answer none is made any more: each costs half a minute. */
const MAX_SILENCES = 2
const MAX_RETRIES = 2

/** Why a question stays open. */
export class NotTested extends Error {}

/** Asks the server, and counts the calls. @throws NotTested when there is no answer, or one that is not about the question */
export interface Ask {
  (method: 'GET' | 'POST' | 'PUT', path: string, call?: Call & { also?: number[] }): Promise<Answer>
  calls(): number
}

export function asker(account: Account): Ask {
  let calls = 0
  let silences = 0
  const ask = async (...[method, path, { also = [], ...call } = {}]: Parameters<Ask>) => {
    if (silences >= MAX_SILENCES) throw new NotTested('the server had stopped answering')
    calls++
    const answer = await account.call(method, path, { retries: MAX_RETRIES, ...call }).catch((error: unknown) => {
      silences++
      throw new NotTested(`no answer (${codeOf(error)})`)
    })
    if (isInTheWay(answer.status) && !also.includes(answer.status)) {
      throw new NotTested(`${method} ${path.split('/')[0]} answered ${answer.status}`)
    }
    return answer
  }
  return Object.assign(ask, { calls: () => calls })
}

/** What a question finds out; a {@link NotTested} is an outcome, too. */
export async function outcomeOf(question: () => Promise<Seen>): Promise<Seen> {
  try {
    return await question()
  } catch (error) {
    if (error instanceof NotTested) return untested(error.message)
    throw error
  }
}

/** The code of a failed request, such as ECONNREFUSED. */
export const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : 'unknown reason'

/** Calls left in this minute, as the answer says. */
export function remaining({ headers }: Answer): number | undefined {
  const value = Number(headers['x-ratelimit-remaining'])
  return headers['x-ratelimit-remaining'] === undefined || Number.isNaN(value) ? undefined : value
}

export const isPage = ({ headers }: Answer): boolean => /^text\/html/.test(headers['content-type'] ?? '')
