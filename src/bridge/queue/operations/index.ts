import { enqueue } from './enqueue'
import { countDead, listDead, purgeDead, retryDead, showDead } from './dead-letters'
import { heartbeat, claim, deregister, listPartitions, isProven, release, reschedule, resume } from './partitions'
import { markFiring, head, ack, lookUp } from './runs'
import {
  setIfAbsent,
  burySuspended,
  bytesKept,
  forgetPartitions,
  forgetMessages,
  mayPrune,
  migrate,
  totals,
  writeProbe
} from './maintenance'
import type { Operation } from '../operation'

export type { PackedRequest } from './enqueue'
export type { DeadFilter, DeadRow } from './dead-letters'
export type { PartitionFilter, PartitionRow } from './partitions'

/** Everything that is ever asked of a store, each one transaction. */
export const operations = {
  enqueue,
  setIfAbsent,
  heartbeat,
  burySuspended,
  bytesKept,
  claim,
  countDead,
  markFiring,
  forgetPartitions,
  forgetMessages,
  head,
  isProven,
  deregister,
  listDead,
  listPartitions,
  mayPrune,
  migrate,
  purgeDead,
  release,
  retryDead,
  reschedule,
  ack,
  showDead,
  totals,
  writeProbe,
  resume,
  lookUp
}

export type OperationName = keyof typeof operations
type Tail<List extends unknown[]> = List extends [unknown, ...infer ReleaseState] ? ReleaseState : []
export type Arguments<Name extends OperationName> = Tail<Parameters<(typeof operations)[Name]>>
export type Result<Name extends OperationName> = ReturnType<(typeof operations)[Name]> extends Operation<infer Value>
  ? Value
  : never
