export { CallsLeft } from './calls-left'
export { startDelivery } from './worker'
export type { Delivery, DeliveryOptions } from './worker'
