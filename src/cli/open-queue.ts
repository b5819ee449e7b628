import type { Command } from 'commander'
import type { Queue } from '../bridge/queue'

/** Does something with the store that a command's options name, and closes it again. */
export type OpenQueue = <Result>(command: Command, work: (queue: Queue) => Promise<Result>) => Promise<Result>
