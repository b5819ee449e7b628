import type { Queue } from '../..'

/** A queue takes only so many keys that are not proven. */
const AT_A_TIME = 100

/** Lets a queue know that EmailSendX has accepted these API keys. */
export async function prove(queue: Queue, ...apiKeys: string[]): Promise<void> {
  if (apiKeys.length > AT_A_TIME) {
    await prove(queue, ...apiKeys.slice(0, AT_A_TIME))
    return prove(queue, ...apiKeys.slice(AT_A_TIME))
  }
  await queue.runs.heartbeat('prover', 10_000)
  // One after the other, so that the partitions are in this order.
  for (const apiKey of apiKeys) await queue.enqueue({ apiKey }, { events: [], rejected: [] })
  const partitions = await queue.runs.claim('prover', { pool: 'unproven', limit: 1_000 })
  await Promise.all(
    partitions.map((partition) => {
      const succeeded = apiKeys.includes(partition.apiKey ?? '')
      return queue.runs.release(partition, { pausedUntil: 0, failures: 0, slow: false, succeeded, tried: succeeded })
    })
  )
  await queue.runs.deregister('prover')
}
