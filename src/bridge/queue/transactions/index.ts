import * as deadLetters from './dead-letters'
import { enqueue } from './enqueue'
import * as maintenance from './maintenance'
import * as messageIds from './message-ids'
import * as move from './move'
import * as partitions from './partitions'
import * as people from './people'
import * as runs from './runs'
import type { Context, Transaction } from './sql'

/** Everything that is ever asked of a store. */
export const transactions = {
  enqueue,
  ...deadLetters.transactions,
  ...maintenance.transactions,
  ...messageIds.transactions,
  ...move.transactions,
  ...partitions.transactions,
  ...people.transactions,
  ...runs.transactions
}

export type TransactionName = keyof typeof transactions
/** Sets a transaction out, by its name. */
export function begin(name: TransactionName, context: Context, args: unknown[]): Transaction<unknown> {
  return (transactions[name] as (context: Context, ...args: unknown[]) => Transaction<unknown>)(context, ...args)
}
