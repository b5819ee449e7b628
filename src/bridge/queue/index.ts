export { openQueue } from './open'
export type { QueueOptions } from './open'
export * from './queue'
