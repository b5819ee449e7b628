import { text } from 'node:stream/consumers'
import { Command, InvalidArgumentError, Option } from 'commander'
import type * as edits from '../bridge/admin/edit'
import { DEAD_REASONS } from '../bridge/queue'
import type { DeadLetter, DeadLetterFilter, DeadLetters, Progress } from '../bridge/queue'
import { jsonOf } from '../http/json'
import { PROGRAM } from '../typescript'
import { onStore, withStore } from './bridge-store'
import { progressOf } from './progress'
import { printable, table } from './table'
import { integer, moment } from './units'

type FilterOptions = Omit<DeadLetterFilter, 'ids' | 'apiKey'>

/** `bin/run bridge dead-letters`: what could not be delivered, and what to do with it. */
export function deadLettersCommand(): Command {
  const command = new Command('dead-letters').description(
    'list, show, retry, edit or purge what could not be delivered'
  )
  const subcommand = (name: string, description: string) => onStore(command.command(name).description(description))

  filtered(subcommand('list', 'list them, newest first'))
    .option('--limit <number>', 'how many at most', integer(1, 10_000), 50)
    .option('--before <id>', 'only those listed after this one', integer(1, Number.MAX_SAFE_INTEGER))
    .action(async (options: FilterOptions & { limit: number; before?: number; json?: boolean }, self: Command) => {
      const filter = filterOf([], options)
      const { letters, total } = await withStore(self, async ({ deadLetters: all }) => ({
        letters: await all.list(filter, { limit: options.limit, before: options.before }),
        total: await all.count(filter)
      }))
      console.log(options.json ? JSON.stringify({ total, deadLetters: letters }) : lettersTable(letters, total))
    })

  subcommand('show <id>', 'show one with everything that was received').action(
    async (id: string, options: { json?: boolean }, self: Command) => {
      const letter = await withStore(self, ({ deadLetters }) => deadLetters.show(letterId(id)))
      if (letter === undefined) throw new Error(noLetter(id))
      console.log(options.json ? JSON.stringify(letter) : details(letter))
    }
  )

  chosen(
    subcommand('retry [ids...]', 'deliver them again: they go to the end of their partitions'),
    'retried',
    async (letters, filter, progress) => {
      const { retried, kept } = await letters.retry(filter, progress)
      return {
        result: { retried, kept },
        words: `${retried} to be delivered again${kept > 0 ? `, ${kept} kept: no events` : ''}`
      }
    }
  )

  subcommand('edit <id>', 'put the event on stdin (JSON) in its place, and deliver that').action(
    async (id: string, options: { json?: boolean }, self: Command) => {
      const event = jsonOf(await text(process.stdin))
      if (event === undefined) throw new Error('what came on stdin is not JSON')
      const result = await withStore(self, async ({ deadLetters }) => {
        const letter = await deadLetters.show(letterId(id))
        if (letter === undefined) throw new Error(noLetter(id))
        // It loads the destination, which nothing else here needs.
        const { editedEvent } = require('../bridge/admin/edit') as typeof edits
        await deadLetters.replace(letter.id, editedEvent(letter, event))
        return deadLetters.retry({ ids: [letter.id] })
      })
      console.log(options.json ? JSON.stringify(result) : `${result.retried} to be delivered`)
    }
  )

  chosen(subcommand('purge [ids...]', 'delete them for good'), 'deleted', async (letters, filter, progress) => {
    const purged = await letters.purge(filter, progress)
    return { result: { purged }, words: `${purged} deleted` }
  })

  /** A subcommand that changes those given by id or filter; all of them only when told so. */
  function chosen(
    sub: Command,
    done: string,
    change: (
      letters: DeadLetters,
      filter: DeadLetterFilter,
      progress: Progress
    ) => Promise<{ result: object; words: string }>
  ): void {
    filtered(sub)
      .option('--all', 'all of them')
      .action(async (ids: string[], options: FilterOptions & { all?: boolean; json?: boolean }, self: Command) => {
        const filter = filterOf(ids, options)
        if (!options.all && Object.values(filter).every((condition) => condition === undefined)) {
          throw new Error('say which ones: ids, filters such as --reason, or --all')
        }
        const { result, words } = await withStore(self, async ({ deadLetters }) =>
          change(deadLetters, filter, progressOf(done, await deadLetters.count(filter)))
        )
        console.log(options.json ? JSON.stringify(result) : words)
      })
  }
  return command
}

function filtered(command: Command): Command {
  return command
    .option('--partition <name>', 'only those of one partition (API key), by the name that list shows')
    .addOption(new Option('--reason <reason>', 'only those with this reason').choices(DEAD_REASONS))
    .addOption(new Option('--type <type>', 'only those of this type').choices(['identify', 'track', 'rejected']))
    .option('--message-id <id>', 'only the event with this messageId')
    .option('--since <time>', 'only those that died since, such as 2h or 2026-01-15', moment)
    .option('--until <time>', 'only those that died before', moment)
}

function filterOf(
  ids: string[],
  { partition, reason, type, messageId, since, until }: FilterOptions
): DeadLetterFilter {
  return { ids: ids.length > 0 ? ids.map(letterId) : undefined, partition, reason, type, messageId, since, until }
}

function letterId(text: string): number {
  const id = /^\d{1,15}$/.test(text) ? Number(text) : 0
  if (id > 0) return id
  throw new InvalidArgumentError(`"${text}" is no id of a dead letter.`)
}

function noLetter(id: string): string {
  return `there is no dead letter ${id}; see "${PROGRAM} bridge dead-letters list"`
}

function lettersTable(letters: DeadLetter[], total: number): string {
  if (total === 0) return 'no dead letters'
  const shown = table(
    ['id', 'died', 'partition', 'type', 'reason', 'messageId', 'detail'],
    letters.map(({ id, diedAt, partition, type, reason, messageId, detail }) => [
      String(id),
      new Date(diedAt).toISOString().slice(0, 19) + 'Z',
      partition,
      type,
      reason,
      messageId,
      detail
    ])
  )
  return letters.length < total ? `${shown}\n${letters.length} of ${total}` : shown
}

function details({ content, ...letter }: DeadLetter & { content: unknown }): string {
  const time = (at: number | undefined) => (at === undefined ? 'never' : new Date(at).toISOString())
  const lines = [
    `dead letter  ${letter.id}`,
    `partition    ${letter.partition}`,
    `messageId    ${letter.messageId}`,
    `type         ${letter.type}`,
    `reason       ${letter.reason}: ${letter.detail}`,
    `attempts     ${letter.attempts}`,
    `arrived      ${time(letter.arrivedAt)}`,
    `first failed ${time(letter.firstFailedAt)}`,
    `died         ${time(letter.diedAt)}`,
    '',
    ...JSON.stringify(content, null, 2).split('\n')
  ]
  return lines.map(printable).join('\n')
}
