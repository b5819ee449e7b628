import type { EventStatus } from '../../serve/contract/errors'
import { clock } from './words'

/** Where a person looks first. */
export type Tone = 'delivered' | 'again' | 'unsure' | 'refused' | 'untaken' | 'waiting'

/** What became of an event, in the words of the person who waits for it. */
export interface Meaning {
  tone: Tone
  headline: string
  /** The kind in a word or two, where the headline is the same for several. */
  badge?: string
  detail: string
}

type Kind = NonNullable<EventStatus['outcome']>['kind']

const REFUSED = {
  invalid: 'invalid event',
  unaddressed: 'nobody to send it to',
  unauthorized: 'API key',
  forbidden: 'scope of the key',
  misconfigured: 'setting'
} satisfies Partial<Record<Kind, string>>

/** What the destination says it means. A row without an outcome never reached it: core refused it, or Segment's rules did. */
export function meaningOf({ status, errormessage = '', outcome, sent, body }: EventStatus): Meaning {
  const { kind = status < 300 ? 'delivered' : isSentAgain(status) ? 'retry' : 'invalid', waitsUntil } = outcome ?? {}
  const detail = outcome?.message ?? errormessage
  switch (kind) {
    case 'delivered':
      return {
        tone: 'delivered',
        headline: 'Delivered',
        detail: `${subjectOf(outcome?.sent ?? sent)}${storedAs(body) ?? detail}`
      }
    case 'retry':
      return { tone: 'again', headline: 'Segment would send it again', badge: againFor(outcome?.retryAfterMs), detail }
    case 'unknown_effect':
      return {
        tone: 'unsure',
        headline: 'Nobody knows whether it was fired',
        badge: 'Segment would send it again',
        detail
      }
    case 'unknown_contact':
      if (waitsUntil !== undefined) {
        return { tone: 'again', headline: `Segment would send it again, until ${clock(waitsUntil)}`, detail }
      }
      return { tone: 'refused', headline: 'Refused', badge: 'unknown contact', detail }
    default:
      return { tone: 'refused', headline: 'Refused', badge: REFUSED[kind], detail }
  }
}

const againFor = (afterMs: number | undefined): string =>
  afterMs === undefined ? 'for up to four hours' : `not before ${Math.ceil(afterMs / 1000)} s`

/** For destinations that report no outcomes: what Segment documents to send again. */
const isSentAgain = (status: number): boolean => status === 408 || status === 429 || (status >= 500 && status !== 501)

/** What was sent, by the name it has in EmailSendX. */
function subjectOf(sent: unknown): string {
  if (typeof sent !== 'object' || sent === null) return ''
  if ('name' in sent && typeof sent.name === 'string') return `${sent.name}: `
  return 'email' in sent && typeof sent.email === 'string' ? `${sent.email}: ` : ''
}

/** Whether contacts were created or updated, where the answer to the call tells: it counts them, and a batch may have both. */
function storedAs(body: unknown): string | undefined {
  const { data } = (body ?? {}) as { data?: { summary?: { created?: number; updated?: number } } | null }
  const { created, updated } = data?.summary ?? {}
  if (!created === !updated) return undefined
  return created ? 'The contact is created.' : 'The contact is updated.'
}
