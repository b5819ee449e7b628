import { objectOf, type Answer } from '../../account/account'
import { isObject } from '../../http/json'
import { seen, untested } from '../report'
import { contactNow, type Question, type Trial } from './trial'

const BAD = 'emailsendx-check-no-address'

/** A row, the same address again, and a row that is none. */
const threeRows = (trial: Trial): Promise<Answer> =>
  trial.ask('POST', 'contacts/bulk', {
    json: {
      contacts: [
        { email: trial.email, metadata: { emailsendx_check_bulk: 'first' } },
        { email: trial.email, metadata: { emailsendx_check_bulk: 'last' } },
        { email: BAD }
      ]
    }
  })

function reportOf(answer: Answer) {
  const { summary, errors } = objectOf(answer)
  return { summary: isObject(summary) ? summary : {}, errors: Array.isArray(errors) ? (errors as unknown[]) : [] }
}

export const bulk: Record<string, Question> = {
  bulkStatus: async (trial) => {
    const answer = await threeRows(trial)
    const ids = JSON.stringify(answer.body ?? '').includes((await contactNow(trial)).id)
    return seen(
      answer.status === 200 && !ids,
      `with a bad row it is answered ${answer.status}, ${ids ? 'with' : 'without'} ids`
    )
  },

  bulkErrors: async (trial) => {
    const answer = await threeRows(trial)
    if (answer.status >= 300) return seen(false, `one bad row fails the whole call: ${answer.status}`)
    const { summary, errors } = reportOf(answer)
    const [error] = errors
    const names = JSON.stringify(errors).includes(BAD)
    const shape =
      typeof error === 'string' ? 'text' : isObject(error) ? `{${Object.keys(error).join(', ')}}` : 'nothing'
    return seen(
      summary.failed === 1 && errors.length === 1 && shape === '{message}' && !names,
      `failed: ${String(summary.failed)}, ${errors.length} error of ${shape} that ${
        names ? 'NAMES' : 'does not name'
      } the row`
    )
  },

  bulkDuplicates: async (trial) => {
    const answer = await threeRows(trial)
    if (answer.status >= 300) return untested(`the call was answered ${answer.status}`)
    const kept = (await contactNow(trial)).metadata.emailsendx_check_bulk
    const { skipped } = reportOf(answer).summary
    return seen(kept === 'last' && skipped === 1, `the ${String(kept)} is kept, skipped: ${String(skipped)}`)
  },

  bulkMaximum: async (trial) => {
    const none = await trial.ask('POST', 'contacts/bulk', { json: { contacts: [] } })
    const contacts = Array.from({ length: 1001 }, () => ({ email: trial.email }))
    const many = await trial.ask('POST', 'contacts/bulk', { json: { contacts } })
    return seen(
      none.status === 400 && many.status === 400,
      `no rows are answered ${none.status}, 1,001 (of one address) ${many.status}`
    )
  },

  unknownList: async (trial) => {
    const listed = await trial.ask('GET', 'contacts', { query: { list_id: 'clx_emailsendx_check_none' } })
    const { status } = await trial.ask('POST', 'contacts/bulk', {
      json: {
        contacts: [{ email: trial.email, metadata: { emailsendx_check_unlisted: trial.run } }],
        listId: 'clx_emailsendx_check_none'
      }
    })
    const isApplied = (await contactNow(trial)).metadata.emailsendx_check_unlisted === trial.run
    return seen(
      listed.status === 404 && status === 404 && !isApplied,
      `as list_id it is ${listed.status}, as listId ${status}, and the contact is ${
        isApplied ? 'still written' : 'not written'
      }`
    )
  }
}
