import type { BridgeEvent } from '../event'
import { CHORE_ROWS, untilDone } from './chores'
import type { Progress } from './chores'
import type { Store } from './drivers/driver'
import type { Encryption } from './encryption'
import { emailKey } from './keys'
import { written } from './packing'
import type { DeadLetterCondition } from './transactions/dead-letters'
import type { PartitionCondition } from './transactions/partitions'
import type {
  DeadLetter,
  DeadLetterFilter,
  EventNameReport,
  PartitionFilter,
  PartitionStatus,
  WaitingEvent
} from './types'

const LIST_ROWS = 100
/** Characters of an API key that are shown: `esx_live_` and four of it. */
const KEY_PREFIX = 13

export type DeadLetters = ReturnType<typeof deadLettersOf>
export type Partitions = ReturnType<typeof partitionsOf>

/**
 * Dead letters as an operator sees them.
 * @param announce called when there is something to be delivered again
 */
export function deadLettersOf(store: Store, encryption: Encryption, announce: () => void) {
  return {
    /** Newest first. `before` is the last id of the page before. */
    list: (filter: DeadLetterFilter, { limit = LIST_ROWS, before }: { limit?: number; before?: number } = {}) =>
      store.listDead({ ...conditionOf(encryption, filter), before }, limit),

    count: (filter: DeadLetterFilter): Promise<number> => store.countDead(conditionOf(encryption, filter)),

    /** One dead letter with what was received: the BridgeEvent, or the rejected item as it came. */
    show: (id: number): Promise<(DeadLetter & { content: unknown }) | undefined> => store.showDead(id),

    /** Puts them back at the end of their partitions, as if they had arrived now. Rejected items stay where they are. */
    retry: async (filter: DeadLetterFilter, progress?: Progress): Promise<{ retried: number; kept: number }> => {
      const condition = conditionOf(encryption, filter)
      const retried = await untilDone(() => store.retryDead(condition, CHORE_ROWS), progress)
      announce()
      return { retried, kept: await store.countDead({ ...condition, isEvent: false }) }
    },

    /** Puts an event in the place of what is in a dead letter. @returns whether there is such a letter */
    replace: (id: number, event: BridgeEvent): Promise<boolean> => {
      const { body, bytes } = written(event.messageId, event)
      return store.replaceDead(id, event.type, body, bytes)
    },

    purge: (filter: DeadLetterFilter, progress?: Progress): Promise<number> =>
      untilDone(() => store.purgeDead(conditionOf(encryption, filter), CHORE_ROWS), progress)
  }
}

/** Partitions as an operator sees them. */
export function partitionsOf(store: Store, encryption: Encryption, announce: () => void) {
  return {
    list: async ({
      limit = LIST_ROWS,
      ...filter
    }: PartitionFilter & { suspended?: boolean; limit?: number } = {}): Promise<PartitionStatus[]> => {
      const found = await store.listPartitions(conditionOf(encryption, filter), limit)
      return found.map(({ encryptedKey, ...status }) => ({
        ...status,
        keyPrefix: encryption.tryDecrypt(encryptedKey)?.slice(0, KEY_PREFIX)
      }))
    },

    /** Waiting events, in the order of their arrival. `after` is the last id of the page before. */
    events: (
      filter: PartitionFilter,
      { after = 0, limit = LIST_ROWS }: { after?: number; limit?: number } = {}
    ): Promise<WaitingEvent[]> => store.listEvents(conditionOf(encryption, filter), after, limit),

    /** Remembers the ids of contacts, so that their events need no look-up. */
    learnContacts: async (filter: PartitionFilter, contacts: { email: string; id: string }[]): Promise<void> => {
      const keyed = contacts.map(({ email, id }) => ({ key: emailKey(email), contactId: id }))
      for (const partitionId of await store.partitionIds(conditionOf(encryption, filter))) {
        await store.noteContactIds(partitionId, keyed)
      }
    },

    /** Nothing more is delivered for them until they are resumed. @returns how many */
    pause: (filter: PartitionFilter): Promise<number> => store.pause(conditionOf(encryption, filter)),

    /** Lets suspended and paused partitions try again at once. @returns how many */
    resume: async (filter: PartitionFilter): Promise<number> => {
      const count = await store.resume(conditionOf(encryption, filter))
      announce()
      return count
    },

    /** Lets suspended partitions try again at once, unless they are paused. @returns how many */
    retry: async (filter: PartitionFilter): Promise<number> => {
      const count = await store.retry(conditionOf(encryption, filter))
      announce()
      return count
    },

    /** Deletes their waiting events. @returns how many */
    drop: (filter: PartitionFilter, progress?: Progress): Promise<number> =>
      untilDone(() => store.drop(conditionOf(encryption, filter), CHORE_ROWS), progress),

    /** What the calls for each event name came to. */
    report: (filter: PartitionFilter = {}): Promise<EventNameReport[]> =>
      store.reportNames(conditionOf(encryption, filter))
  }
}

/** A filter as the store knows it, which holds no key in the clear. */
export function conditionOf<Filter extends PartitionFilter>(
  encryption: Encryption,
  { partition, apiKey, ...rest }: Filter
): Omit<Filter, keyof PartitionFilter> & Pick<DeadLetterCondition & PartitionCondition, 'fingerprint'> {
  return { ...rest, fingerprint: apiKey === undefined ? partition : encryption.fingerprint(apiKey) }
}
