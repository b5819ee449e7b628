import isEqual from 'lodash/isEqual'
import { objectOf } from '../../account/account'
import { seen, untested } from '../report'
import { contactNow, findContact, upsert, type Question } from './trial'

const VALUES = { number: 1.5, flag: true, list: ['a', 1], nothing: null }

/** In this order: each builds on what those before have written. */
export const upserts: Record<string, Question> = {
  upsertCreated: async (trial) => {
    trial.left.add('the contact with the address you named, and metadata whose keys begin with emailsendx_check_')
    const answer = await upsert(trial, {
      firstName: 'Check',
      metadata: { emailsendx_check_run: trial.run, emailsendx_check_nested: { kept: 1 } }
    })
    const hasId = 'id' in objectOf(answer)
    const words = `it is answered ${answer.status} ${hasId ? 'with' : 'without'} an id`
    if (trial.existed) return untested(`the contact was there already; ${words}`)
    return seen(answer.status === 201 && hasId, words)
  },

  upsertUpdated: async (trial) => {
    const values = Object.entries(VALUES).map(([name, value]) => [`emailsendx_check_${name}`, value])
    const metadata = { ...Object.fromEntries(values), emailsendx_check_nested: { other: 2 } } as object
    const answer = await upsert(trial, { firstName: null, metadata })
    const hasId = 'id' in objectOf(answer)
    return seen(answer.status === 200 && hasId, `it is answered ${answer.status} ${hasId ? 'with' : 'without'} an id`)
  },

  metadata: async (trial) => {
    const { metadata } = await contactNow(trial)
    const isMerged = metadata.emailsendx_check_run === trial.run
    const changed = Object.entries(VALUES).filter(
      ([name, value]) => !isEqual(metadata[`emailsendx_check_${name}`], value)
    )
    const isShallow = isEqual(metadata.emailsendx_check_nested, { other: 2 })
    const [list, nothing] = [await upsert(trial, { metadata: [] }), await upsert(trial, { metadata: null })]
    const words = [
      isMerged ? 'merged by key' : 'REPLACED: keys that are not sent are lost',
      isShallow ? 'not deeply' : 'objects are merged or changed',
      changed.length === 0
        ? 'numbers, booleans, arrays and null arrive as they are'
        : `changed: ${changed.map(([name]) => name).join(', ')}`,
      `[] for the whole is answered ${list.status}, null ${nothing.status}`
    ]
    const areEmpty = list.status === 200 && nothing.status === 200
    return seen(isMerged && isShallow && changed.length === 0 && areEmpty, words.join('; '))
  },

  names: async (trial) => {
    const { firstName, lastName } = await contactNow(trial)
    await upsert(trial, { lastName: '' })
    const emptied = await contactNow(trial)
    const isNull = trial.existed || lastName === null
    const isKept = firstName === 'Check'
    const isStored = emptied.lastName === ''
    const words = [
      trial.existed ? 'never sent: not tried' : `never sent: ${JSON.stringify(lastName)}`,
      `null ${isKept ? 'changes nothing' : 'changes it'}`,
      `empty: ${isStored ? 'stored' : 'not stored'}`
    ]
    return seen(isNull && isKept && isStored, words.join('; '))
  },

  email: async (trial) => {
    const { email } = await contactNow(trial)
    if (trial.email === trial.email.toLowerCase()) return untested('name an address with a capital letter to see')
    return seen(
      email === trial.email.toLowerCase(),
      `capitals are ${email === trial.email ? 'kept' : 'made small'}; the rest was not tried`
    )
  },

  upsertList: async (trial) => {
    if (await findContact(trial, trial.listId)) return untested('the contact was in the list already')
    trial.left.add('its membership of the list you named')
    const { status } = await upsert(trial, { listId: trial.listId })
    const isMember = (await findContact(trial, trial.listId)) !== undefined
    return seen(isMember, `answered ${status}, the contact is ${isMember ? '' : 'not '}in the list`)
  },

  status: async (trial) => {
    const { status, tags } = await contactNow(trial)
    const answer = await upsert(trial, { emailsendx_check_unknown: trial.run, tags: ['emailsendx_check'] })
    const now = await contactNow(trial)
    const isIgnored = answer.status === 200 && !('emailsendx_check_unknown' in now)
    const isTagged = JSON.stringify(now.tags ?? '').includes('emailsendx_check')
    if (isTagged && !JSON.stringify(tags ?? '').includes('emailsendx_check')) trial.left.add('the tag emailsendx_check')
    const isActive = trial.existed || status === 'active'
    const words = [
      ...(trial.existed ? [] : [`a new contact is ${String(status)}`]),
      `an unknown key is ${isIgnored ? 'ignored' : `answered ${answer.status}`}`,
      `tags are ${isTagged ? 'taken' : 'ignored'}`,
      // Whoever it is would no longer get mail from a server that takes it.
      'no status was sent'
    ]
    return seen(isActive && isIgnored && !isTagged, words.join('; '))
  },

  depthMaximum: async (trial) => {
    const within = await upsert(trial, { emailsendx_check_unknown: nested(150) })
    const beyond = await upsert(trial, { emailsendx_check_unknown: nested(250) })
    return seen(
      within.status === 200 && beyond.status === 400,
      `150 levels are answered ${within.status}, 250 levels ${beyond.status}`
    )
  }
}

const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth))
