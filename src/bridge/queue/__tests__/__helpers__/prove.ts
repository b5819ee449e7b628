import type { Queue } from '../..'

/** Lets a queue know that EmailSendX has accepted these API keys. */
export async function prove(queue: Queue, ...apiKeys: string[]): Promise<void> {
  await queue.runs.heartbeat('prover', 10_000)
  for (const apiKey of apiKeys) {
    if (await queue.isProven({ apiKey })) continue
    await queue.enqueue({ apiKey }, { events: [], rejected: [] })
    const [partition] = await queue.runs.claim('prover', { pool: 'unproven', limit: 1 })
    await queue.runs.release(partition, { pausedUntil: 0, failures: 0, slow: false, succeeded: true, tried: true })
  }
  await queue.runs.deregister('prover')
}
