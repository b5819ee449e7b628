export { openSpool } from './open'
export type { SpoolOptions } from './open'
export * from './spool'
