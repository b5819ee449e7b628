export { startDelivery } from './worker'
export type { Delivery, DeliveryOptions } from './worker'
