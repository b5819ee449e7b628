import { transactions } from '../transactions'
import type { TransactionName } from '../transactions'
import type { Context, Transaction } from '../transactions/sql'

/** Runs transactions against a store. What one has written is on disk when its promise resolves. */
export interface Driver {
  /**
   * @param now ms since 1970, what the transaction takes for the time
   * @throws QueueUnavailable when the store can't; the transaction is undone then, or (a lost connection) may not be.
   */
  run(name: TransactionName, now: number, args: unknown[]): Promise<unknown>
  /** Takes what was deleted out of the files, too, as far as the driver can. */
  scrub(): Promise<void>
  close(): Promise<void>
}

/** All transactions as functions that run on a store. */
export type Store = { [Name in TransactionName]: Run<(typeof transactions)[Name]> }
type Run<Begin> = Begin extends (context: Context, ...args: infer Args) => Transaction<infer Result>
  ? (...args: Args) => Promise<Result>
  : never

export function storeOf(driver: Driver, now: () => number): Store {
  const names = Object.keys(transactions) as TransactionName[]
  return Object.fromEntries(
    names.map((name) => [name, (...args: unknown[]) => driver.run(name, now(), args)])
  ) as unknown as Store
}
