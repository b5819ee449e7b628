import type { Queue } from '../..'

/** Lets a queue know that EmailSendX has accepted these API keys. */
export async function prove(queue: Queue, ...apiKeys: string[]): Promise<void> {
  await queue.runs.heartbeat('prover', 10_000)
  await Promise.all(apiKeys.map((apiKey) => queue.enqueue({ apiKey }, { events: [], rejected: [] })))
  const partitions = await queue.runs.claim('prover', { pool: 'unproven', limit: 1_000 })
  await Promise.all(
    partitions.map((partition) => {
      const succeeded = apiKeys.includes(partition.apiKey ?? '')
      return queue.runs.release(partition, { pausedUntil: 0, failures: 0, slow: false, succeeded, tried: succeeded })
    })
  )
  await queue.runs.deregister('prover')
}
