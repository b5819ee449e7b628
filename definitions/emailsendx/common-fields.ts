import type { InputField } from '@segment/actions-core'

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
  description: 'The largest number of events in one batch.',
  type: 'number',
  default: 500,
  minimum: 1,
  maximum: 1000,
  category: 'sync',
  depends_on: { conditions: [{ fieldKey: 'enable_batching', operator: 'is', value: true }] },
  disabledInputMethods: ['variable', 'function', 'enrichment'],
  displayMode: 'collapsed'
}
