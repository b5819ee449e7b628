import { objectOf } from '../../account/account'
import { seen, untested } from '../report'
import { contactNow, type Question, type Trial } from './trial'

const NO_EVENT = untested('needs --event: the name of an event that an active automation waits for')

async function fire(trial: Trial, name: string) {
  trial.left.add('custom events in the history of the contact')
  const { id } = await contactNow(trial)
  const answer = await trial.ask('POST', `contacts/${encodeURIComponent(id)}/events`, { json: { name, data: {} } })
  const { eventName, matchingAutomations } = objectOf(answer)
  return { status: answer.status, eventName, matching: Number(matchingAutomations) }
}

/** Spaces for underscores, or the other way round. */
export const spelledOtherwise = (name: string): string =>
  name.includes('_') ? name.replaceAll('_', ' ') : name.includes(' ') ? name.replaceAll(' ', '_') : ` ${name} `

const otherCase = (name: string): string => (name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase())

export const events: Record<string, Question> = {
  eventStatus: async (trial) => {
    const name = `EmailSendX Check ${trial.run}`
    const { status, eventName, matching } = await fire(trial, name)
    return seen(
      status === 200 && eventName === name && matching === 0,
      `answered ${status}, the name comes back ${eventName === name ? 'as sent' : 'changed'}, matching: ${matching}`
    )
  },

  unknownContact: async ({ ask }) => {
    const { status } = await ask('POST', 'contacts/clx_emailsendx_check_none/events', { json: { name: 'check' } })
    return seen(status === 404, `it is answered ${status}`)
  },

  eventMatch: async (trial) => {
    if (trial.event === undefined) return NO_EVENT
    trial.left.add('automations that were started for the contact')
    if (!((await fire(trial, trial.event)).matching > 0)) return untested('no active automation waits for that event')
    const inOtherCase = (await fire(trial, otherCase(trial.event))).matching > 0
    const otherwise = (await fire(trial, spelledOtherwise(trial.event))).matching > 0
    return seen(
      inOtherCase && !otherwise,
      `upper and lower case ${inOtherCase ? 'do not count' : 'COUNT'}, spaces ${
        otherwise ? 'do not (normalized)' : 'do'
      }`
    )
  },

  eventRepeat: async (trial) => {
    if (trial.event === undefined) return NO_EVENT
    const first = await fire(trial, trial.event)
    const second = await fire(trial, trial.event)
    if (!(first.matching > 0)) return untested('no active automation waits for that event')
    return seen(second.matching === first.matching, `fired twice it matches ${first.matching} and ${second.matching}`)
  }
}
