export interface Payload {
  email?: string
  userId?: string
  firstName?: string
  lastName?: string
  traits?: { [k: string]: unknown }
  nestedTraits?: string
  listId?: string
  enable_batching?: boolean
  batch_size?: number
  batch_keys?: string[]
}
