import type { Arguments, OperationName, Result } from './operations'

/** Runs operations against a store, each in a transaction of its own, on disk when the promise resolves. */
export interface Engine {
  /** @throws QueueUnavailable when the store can't; the operation is undone then, or (a lost connection) may not be. */
  run<Name extends OperationName>(name: Name, ...args: Arguments<Name>): Promise<Result<Name>>
  close(): Promise<void>
}
