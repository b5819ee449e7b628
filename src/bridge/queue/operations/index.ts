import { accept } from './accept'
import { countDead, listDead, purgeDead, retryDead, showDead } from './dead-letters'
import { beat, claim, leave, listLanes, release, rewind, unpark } from './lanes'
import { fire, head, settle, whatIsKnown } from './queue'
import { agree, buryParked, bytesKept, forgetLanes, forgetMessages, mayRetain, migrate, totals, touch } from './upkeep'
import type { Operation } from '../operation'

export type { Parcel } from './accept'
export type { DeadFilter, DeadRow } from './dead-letters'
export type { LaneFilter, LaneRow } from './lanes'

/** Everything that is ever asked of a store, each one transaction. */
export const operations = {
  accept,
  agree,
  beat,
  buryParked,
  bytesKept,
  claim,
  countDead,
  fire,
  forgetLanes,
  forgetMessages,
  head,
  leave,
  listDead,
  listLanes,
  mayRetain,
  migrate,
  purgeDead,
  release,
  retryDead,
  rewind,
  settle,
  showDead,
  totals,
  touch,
  unpark,
  whatIsKnown
}

export type OperationName = keyof typeof operations
type Tail<List extends unknown[]> = List extends [unknown, ...infer Rest] ? Rest : []
export type Arguments<Name extends OperationName> = Tail<Parameters<(typeof operations)[Name]>>
export type Result<Name extends OperationName> = ReturnType<(typeof operations)[Name]> extends Operation<infer Value>
  ? Value
  : never
