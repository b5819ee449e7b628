import { PayloadValidationError } from '@segment/actions-core'
import type { InputField } from '@segment/actions-core'
import { MAX_CONTACTS_PER_CALL } from './constants'

type FieldValue = InputField['default']

/** The condition that makes a field required when none of the others is there. */
export function requiredUnless(...fieldKeys: string[]): InputField['required'] {
  return {
    match: 'all',
    conditions: fieldKeys.map((fieldKey) => ({ fieldKey, operator: 'is', value: undefined }))
  }
}

/**
 * The first of these places that is not empty. The core's `blank` alone would throw for an object with a `toString` of its own,
 * and with it a whole batch. `@arrayPath` leaves a text as it is, and makes of an object a list that has none.
 */
export function firstOf(path: string, ...others: string[]): FieldValue {
  if (others.length === 0) return { '@path': path }
  const harmless = { '@arrayPath': [path, { isText: false }] }
  return { '@if': { blank: harmless, then: { '@path': path }, else: firstOf(...(others as [string])) } }
}

/**
 * An object, merged with nothing: so the `[]` that PHP writes for an empty object is one. A text, or a list with something in
 * it, is one then, too, which {@link checkObject} refuses.
 */
export function objectOf(value: FieldValue): FieldValue {
  return { '@merge': { direction: 'right', objects: [value] } }
}

/**
 * Refuses what {@link objectOf} has made of a text or a list: its keys are 0, 1, 2 and so on, and nobody names anything so.
 * @throws PayloadValidationError
 */
export function checkObject(label: string, value: object): void {
  if ('0' in value && Object.keys(value).every((key, place) => key === String(place))) {
    throw new PayloadValidationError(`${label} must be an object but it was a text or a list.`)
  }
}

export const userId: InputField = {
  label: 'User ID',
  description:
    'The ID of the user in your own system. It stands in for Email when Email is empty and the ID is an email address.',
  type: 'string',
  default: { '@path': '$.userId' },
  category: 'identifier'
}

export const anonymousId: InputField = {
  label: 'Anonymous ID',
  description:
    'The ID of a visitor who is not known by name. It helps to find the contact of an event that has no email address.',
  type: 'string',
  default: { '@path': '$.anonymousId' },
  category: 'identifier',
  displayMode: 'collapsed'
}

export const enable_batching: InputField = {
  label: 'Batch Data to EmailSendX',
  description: 'Send events to EmailSendX in batches. Each event of a batch still gets a result of its own.',
  type: 'boolean',
  default: true,
  category: 'sync',
  disabledInputMethods: ['variable', 'function', 'enrichment']
}

export const batch_size: InputField = {
  label: 'Batch Size',
  description: 'The largest number of events in one batch: what one request to EmailSendX takes.',
  type: 'number',
  default: MAX_CONTACTS_PER_CALL,
  minimum: 1,
  maximum: MAX_CONTACTS_PER_CALL,
  unsafe_hidden: true
}
