import * as deadLetters from './dead-letters'
import * as enqueue from './enqueue'
import * as eventNames from './event-names'
import * as leases from './leases'
import * as maintenance from './maintenance'
import * as messageIds from './message-ids'
import * as move from './move'
import * as operators from './operators'
import * as people from './people'
import * as runs from './runs'
import type { Context, Transaction } from './sql'

/** Everything that is ever asked of a store. */
export const transactions = {
  ...deadLetters.transactions,
  ...enqueue.transactions,
  ...eventNames.transactions,
  ...leases.transactions,
  ...maintenance.transactions,
  ...messageIds.transactions,
  ...move.transactions,
  ...operators.transactions,
  ...people.transactions,
  ...runs.transactions
}

export type TransactionName = keyof typeof transactions

/** Sets a transaction out, by its name. */
export function begin(name: TransactionName, context: Context, args: unknown[]): Transaction<unknown> {
  return (transactions[name] as (context: Context, ...args: unknown[]) => Transaction<unknown>)(context, ...args)
}
