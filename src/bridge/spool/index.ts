export * from './spool'
