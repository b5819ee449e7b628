import { randomUUID } from 'node:crypto'

/** Something that takes a while. Times in ms since 1970. */
export interface Job {
  id: string
  what: string
  /** What is to be done, as far as it was known at the start. */
  total: number
  done: number
  startedAt: number
  endedAt?: number
  result?: unknown
  error?: string
}

const MAX_KEPT = 100

/** Jobs of this process: those that run, and the last that have ended. */
export class Jobs {
  private readonly jobs = new Map<string, Job>()

  get(id: string): Job | undefined {
    return this.jobs.get(id)
  }

  list(): Job[] {
    return [...this.jobs.values()].reverse()
  }

  /** @param work calls its argument with how much is done in all */
  start(what: string, total: number, work: (progress: (done: number) => void) => Promise<unknown>): Job {
    const job: Job = { id: randomUUID(), what, total, done: 0, startedAt: Date.now() }
    this.jobs.set(job.id, job)
    const [oldest] = this.jobs.values()
    if (this.jobs.size > MAX_KEPT && oldest.endedAt !== undefined) this.jobs.delete(oldest.id)
    work((done) => (job.done = done))
      .then(
        (result) => (job.result = result),
        (error: Error) => (job.error = error.message)
      )
      .finally(() => (job.endedAt = Date.now()))
    return job
  }
}
