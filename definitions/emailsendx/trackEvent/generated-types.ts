export interface Payload {
  email?: string
  userId?: string
  eventName: string
  eventNameForm?: string
  properties?: { [k: string]: unknown }
  timestamp?: string | number
  unknownContact?: string
  maxAgeHours?: number
  enable_batching?: boolean
  batch_size?: number
}
