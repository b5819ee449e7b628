import type { BridgeEvent } from '../event'
import type { Store } from './drivers/driver'
import type { Encryption } from './encryption'
import { LeaseLost } from './errors'
import { storable } from './packing'
import type { SharedCommits } from './shared-commits'
import { nameOf } from './transactions/partitions'
import type { Ack, ClaimedPartition, Known, Lease, Pool, QueuePage, ReleaseState } from './types'

export type Runs = ReturnType<typeof runsOf>

/**
 * Work on partitions, across all processes that share the store. A partition is worked on by whoever claimed it last; the
 * store takes nothing about it from anybody else. Times are the process's own, leases go by the store's clock.
 */
export function runsOf(store: Store, commits: SharedCommits, encryption: Encryption, listeners: Set<() => void>) {
  return {
    /** Says that the worker lives. Partitions of a worker that has not said so for `leaseMs` (at most a minute) are up for grabs. */
    heartbeat: (worker: string, leaseMs: number): Promise<void> => store.heartbeat(worker, leaseMs),

    /** Ends the worker: its partitions are free at once. */
    deregister: (worker: string): Promise<void> => store.deregister(worker),

    /** Frees all partitions of the worker but those it works on: of a claim that failed nobody knows whether it was done. */
    letGo: (worker: string, workedOn: number[]): Promise<void> => store.letGo(worker, workedOn),

    /** Takes partitions of a pool that are due: the longest due first, up to `limit`, none that the worker has already. */
    claim: async (worker: string, query: { pool: Pool; limit: number }): Promise<ClaimedPartition[]> => {
      const claimed = await commits.claim.add({ worker, ...query })
      return claimed.map(({ id, token, fingerprint, encrypted_key, pool, failures, succeeded_at }) => ({
        partitionId: id,
        token,
        partition: nameOf(fingerprint),
        apiKey: encryption.tryDecrypt(encrypted_key),
        pool,
        failures,
        succeededAt: succeeded_at ?? undefined
      }))
    },

    /** The first events that are not deferred, up to a number of rows and bytes, at least one. @throws LeaseLost */
    head: async (lease: Lease, size: { rows: number; bytes: number }): Promise<QueuePage> => {
      const { events, complete } = assertLease(lease, await commits.head.add({ lease, size }))
      return {
        complete,
        events: events.map(({ body, ...event }) => ({ ...event, event: JSON.parse(body) as BridgeEvent }))
      }
    },

    /** What is known of users by their keys (see keys.ts). */
    lookUp: (lease: Lease, keys: string[]): Promise<Known> => commits.lookUp.add({ lease, keys }),

    /** What EmailSendX last said about event names. */
    lookUpNames: (lease: Lease, names: string[]) => store.lookUpNames(lease, names.map(storable)),

    /** Writes down, before it happens, that an event is fired. @throws LeaseLost when it must not be */
    markFiring: async (lease: Lease, eventId: number): Promise<void> => {
      assertLease(lease, (await commits.markFiring.add({ lease, eventId })) || undefined)
    },

    /**
     * Writes down what became of events, all or nothing. May be repeated when nobody knows whether it was done.
     * @returns how many others are back in the queue
     * @throws LeaseLost
     */
    ack: async (lease: Lease, ack: Ack): Promise<{ requeued: number }> => {
      const dead = ack.dead?.map((letter) => ({ ...letter, detail: storable(letter.detail) }))
      const fired = ack.fired?.map((call) => ({ ...call, name: storable(call.name) }))
      return assertLease(lease, await commits.ack.add({ lease, ack: { ...ack, dead, fired } }))
    },

    /** Gives the partition back. @returns how many events of an unknown key are gone with it. @throws LeaseLost */
    release: async (lease: Lease, state: ReleaseState): Promise<{ erased: number }> => {
      const suspended = state.suspended && { ...state.suspended, reason: storable(state.suspended.reason) }
      return assertLease(lease, await commits.release.add({ lease, state: { ...state, suspended } }))
    },

    /** The clock was set back: every partition is due now. */
    reschedule: (): Promise<void> => store.reschedule(),

    /** Calls back when this process has put something into a partition. @returns what ends that. */
    onEnqueue: (listener: () => void): (() => void) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    }
  }
}

function assertLease<Value>(lease: Lease, result: Value | undefined): Value {
  if (result === undefined) throw new LeaseLost(lease.partitionId)
  return result
}
