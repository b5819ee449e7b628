import { objectOf, type Answer } from '../../account/account'
import { isObject } from '../../http/json'
import { NotTested } from '../ask'
import { seen, untested } from '../report'
import { spelledOtherwise } from './events'
import { contactNow, upsert, type Question, type Trial } from './trial'

/** Calls to the vendor's webhook endpoint, as Segment's own webhook makes them. */
async function send(trial: Trial, call: unknown, path = '/api/segment/track'): Promise<Answer> {
  const answer = await trial.ask('POST', path, { json: call })
  if (answer.status === 404 && !isObject(answer.body)) throw new NotTested('the server does not have the endpoint')
  return answer
}

const track = (trial: Trial, who: object) =>
  send(trial, { type: 'track', event: `EmailSendX Check ${trial.run}`, properties: {}, ...who })
const userOf = ({ run }: Trial) => `emailsendx-check-${run}`
const identify = (trial: Trial) =>
  send(trial, {
    type: 'identify',
    userId: userOf(trial),
    anonymousId: `${userOf(trial)}-anonymous`,
    traits: { email: trial.email, emailsendx_check_segment: trial.run }
  })

/** Whether an event reached the contact, as far as the answer tells. */
function reached(answer: Answer, unknownIs: number): boolean {
  if (answer.status >= 300) return false
  const { contactId } = objectOf(answer)
  if (contactId !== undefined) return contactId !== null
  if (unknownIs >= 300) return true
  throw new NotTested('an event of nobody is answered like any other')
}

/** The status for an event of nobody. */
const statusOfUnknown = async (trial: Trial): Promise<number> =>
  (await track(trial, { userId: `${userOf(trial)}-nobody` })).status

/** Whether an event of these ids reaches the contact. */
async function finds(trial: Trial, who: object): Promise<boolean> {
  const unknownIs = await statusOfUnknown(trial)
  return reached(await track(trial, who), unknownIs)
}

const says = (finds: boolean) => (finds ? 'finds the contact' : 'finds nobody')

export const segment: Record<string, Question> = {
  segmentAnswer: async (trial) => {
    trial.left.add('a userId and an anonymousId of the contact at the webhook endpoint')
    const answer = await identify(trial)
    const { status, body } = answer
    const shape = body === undefined ? 'nothing' : isObject(body) ? `{${Object.keys(body).join(', ')}}` : typeof body
    const isData = isObject(body) && 'data' in body && 'contactId' in objectOf(answer)
    return seen(status === 200 && isData, `an identify is answered ${status} with ${shape}`)
  },

  segmentUnknown: async (trial) => {
    const status = await statusOfUnknown(trial)
    return seen(status === 404, `an event of nobody is answered ${status}`)
  },

  segmentUser: async (trial) => {
    const byAddress = await finds(trial, { userId: trial.email })
    const byUser = await finds(trial, { userId: userOf(trial) })
    return seen(
      byAddress && byUser,
      `a userId that is the address ${says(byAddress)}, one that an identify told ${says(byUser)}`
    )
  },

  segmentUsers: async (trial) => {
    const userId = `${userOf(trial)}-metadata`
    trial.left.add('the metadata field userId of the contact')
    await upsert(trial, { metadata: { userId } })
    const isFound = await finds(trial, { userId })
    return seen(!isFound, `a userId that is only in metadata ${says(isFound)}`)
  },

  segmentAnonymous: async (trial) => {
    const isFound = await finds(trial, { anonymousId: `${userOf(trial)}-anonymous` })
    return seen(!isFound, `the anonymousId of an identify ${says(isFound)}`)
  },

  segmentContext: async (trial) => {
    const isFound = await finds(trial, {
      userId: `${userOf(trial)}-nobody`,
      context: { traits: { email: trial.email } }
    })
    return seen(!isFound, `context.traits.email ${says(isFound)}`)
  },

  segmentEmail: async (trial) => {
    const { status } = await send(trial, { type: 'identify', userId: `${userOf(trial)}-nobody`, traits: {} })
    return seen(status === 400, `an identify without an address is answered ${status}; two addresses were not tried`)
  },

  segmentTypes: async (trial) => {
    const statuses: number[] = []
    for (const type of ['page', 'screen', 'group']) {
      statuses.push((await send(trial, { type, userId: userOf(trial), name: 'check', groupId: 'check' })).status)
    }
    return seen(
      statuses.every((status) => status === 200),
      `page, screen and group are answered ${statuses.join(', ')}`
    )
  },

  segmentArrays: async (trial) => {
    const { status } = await send(trial, [{ type: 'track', event: 'check', userId: userOf(trial) }])
    return seen(status === 400, `an array is answered ${status}`)
  },

  segmentEventMatch: async (trial) => {
    if (trial.event === undefined) return untested('needs --event')
    const answer = await track(trial, { userId: userOf(trial), event: spelledOtherwise(trial.event) })
    const { matchingAutomations } = objectOf(answer)
    if (matchingAutomations === undefined) return untested('the answer does not say what matched')
    const matching = Number(matchingAutomations)
    return seen(matching > 0, `with spaces for underscores it matches ${matching}`)
  },

  segmentFields: async (trial) => {
    const call = {
      userId: userOf(trial),
      messageId: trial.run,
      timestamp: '2020-01-01T00:00:00Z',
      event: trial.event ?? 'check'
    }
    const [first, second] = [await track(trial, call), await track(trial, call)]
    const matching = [first, second].map((answer) => objectOf(answer).matchingAutomations)
    if (trial.event === undefined || matching[0] === undefined) {
      return untested(
        `a repeated messageId is answered ${first.status} and ${second.status}; needs --event to see more`
      )
    }
    return seen(matching[0] === matching[1], `a repeated messageId matches ${matching.map(String).join(' and ')}`)
  },

  rudderstack: async (trial) => {
    const call = { type: 'track', event: `EmailSendX Check ${trial.run}`, properties: {}, userId: userOf(trial) }
    const { status } = await send(trial, call)
    const other = await send(trial, call, '/api/rudderstack/track')
    const traits = { email: trial.email, emailsendx_check_rudderstack: trial.run }
    await send(trial, { type: 'identify', userId: userOf(trial), context: { traits } }, '/api/rudderstack/track')
    const isRead = (await contactNow(trial)).metadata.emailsendx_check_rudderstack === trial.run
    return seen(
      other.status === status && isRead,
      `the same event is answered ${status} and ${other.status}; traits in the context are ${isRead ? '' : 'not '}read`
    )
  }
}
